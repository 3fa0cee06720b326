SELECT rank, id FROM job
WHERE queue = ?1 AND flow = ?2 AND rank IS NOT NULL
ORDER BY rank, id
LIMIT ?3
