SELECT 1 FROM table_row WHERE set_name = ?1 AND insert_id = ?2 AND at >= ?3 LIMIT 1
