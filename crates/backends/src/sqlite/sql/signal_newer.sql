SELECT 1 FROM signal WHERE job = ?1 AND number > ?2 LIMIT 1
