SELECT id FROM job WHERE mark = ?1 AND state < 3 LIMIT 1
