SELECT id, state, flow, queue, finished_at, parent FROM job
WHERE parent = ?3 AND id < ?1 AND id >= ?2
ORDER BY id DESC
