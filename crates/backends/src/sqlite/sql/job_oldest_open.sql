-- ?1 after, ?2 before, ?3 a state. The second condition on the state lets SQLite see that the
-- index job_open holds every row.
SELECT id, state, finished_at FROM job
WHERE state = ?3 AND state <> 3 AND id > ?1 AND id < ?2
ORDER BY id
