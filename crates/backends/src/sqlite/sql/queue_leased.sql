-- The second condition on the state lets SQLite see that the index job_open holds every row.
SELECT queue FROM job WHERE state = 2 AND state <> 3 AND instance IS NOT NULL
