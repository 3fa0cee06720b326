SELECT rank, id FROM job
WHERE flow = ?1 AND rank IS NOT NULL AND queue = ?2
ORDER BY rank, id
LIMIT ?3
