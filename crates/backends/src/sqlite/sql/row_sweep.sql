DELETE FROM table_row WHERE set_name = ?1 AND number > ?2 RETURNING length(CAST(content AS BLOB))
