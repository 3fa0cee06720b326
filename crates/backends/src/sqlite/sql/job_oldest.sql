-- ?1 after, ?2 before, ?3 a state: completed jobs are nearly all jobs, so it reads the table.
SELECT id, state, finished_at FROM job
WHERE id > ?1 AND id < ?2 AND ?3 >= 0
ORDER BY id
