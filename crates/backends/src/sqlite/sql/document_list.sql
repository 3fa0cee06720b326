SELECT parent, id, content, created, updated FROM document
WHERE collection = ?1 AND parent = ?2 AND id > ?3 ORDER BY id LIMIT ?4
