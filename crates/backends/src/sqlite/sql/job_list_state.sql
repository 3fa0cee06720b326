-- The second condition on the state lets SQLite see that the index job_open holds every row.
SELECT id, state, flow, queue, finished_at, parent FROM job
WHERE state = ?3 AND state <> 3 AND id < ?1 AND id >= ?2
ORDER BY id DESC
