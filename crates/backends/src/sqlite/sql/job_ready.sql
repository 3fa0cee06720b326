SELECT rank, id FROM job
WHERE flow = ?1 AND rank IS NOT NULL
ORDER BY rank, id
LIMIT ?2
