DELETE FROM row_set WHERE name = ?1
