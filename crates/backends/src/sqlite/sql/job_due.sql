SELECT id FROM job
WHERE due_at IS NOT NULL AND due_at <= ?1
ORDER BY due_at, id
LIMIT ?2
