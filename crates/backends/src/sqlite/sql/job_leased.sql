-- The second condition on the state lets SQLite see that the index job_open holds every row.
SELECT id FROM job
WHERE state = 2 AND state <> 3 AND instance IS NOT NULL AND instance <> ?1 AND instance <> ?2
ORDER BY id
