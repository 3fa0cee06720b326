INSERT INTO row_set (name, rows, bytes) VALUES (?1, ?2, ?3)
ON CONFLICT DO UPDATE SET rows = excluded.rows, bytes = excluded.bytes
