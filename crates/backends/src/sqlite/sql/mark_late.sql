SELECT id FROM job
WHERE mark = ?1 AND mark_until > ?2
ORDER BY mark_until DESC, id DESC
LIMIT 1
