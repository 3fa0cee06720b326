SELECT name, value FROM effect
WHERE job = ?1 AND name > ?2
ORDER BY name
LIMIT ?3
