SELECT parent, id, content, created, updated FROM document
WHERE collection = ?1 AND (parent, id) > (?3, ?4) AND parent < ?2 || '0'
AND (parent = ?2 OR substr(parent, 1, length(?2) + 1) = ?2 || '/')
ORDER BY parent, id LIMIT ?5
