INSERT INTO document (collection, parent, id, content, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO UPDATE SET content = excluded.content, created = excluded.created, updated = excluded.updated
