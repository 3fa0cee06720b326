SELECT 1 FROM chunk WHERE job = ?1 AND token = ?2 LIMIT 1
