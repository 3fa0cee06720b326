SELECT 1 FROM job WHERE parent = ?1 AND state < 3 LIMIT 1
