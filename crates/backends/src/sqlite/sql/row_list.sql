SELECT number, content FROM table_row WHERE set_name = ?1 AND number > ?2 ORDER BY number LIMIT ?3
