DELETE FROM document WHERE collection = ?1 AND parent = ?2 AND id = ?3
