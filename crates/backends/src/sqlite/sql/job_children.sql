SELECT id FROM job WHERE parent = ?1 AND state < 3
