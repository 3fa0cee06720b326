INSERT INTO table_row (set_name, number, content, insert_id, at) VALUES (?1, ?2, ?3, ?4, ?5)
