SELECT number, name, payload FROM signal
WHERE job = ?1 AND number > ?2
ORDER BY number
LIMIT ?3
