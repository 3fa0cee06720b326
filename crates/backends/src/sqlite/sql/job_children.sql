SELECT id FROM job WHERE parent = ?1 AND state NOT IN (3, 4, 5)
