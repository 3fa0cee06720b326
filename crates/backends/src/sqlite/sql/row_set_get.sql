SELECT rows, bytes FROM row_set WHERE name = ?1
