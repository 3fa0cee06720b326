SELECT job FROM lease
WHERE expires_at <= ?1
ORDER BY expires_at, job
LIMIT ?2
