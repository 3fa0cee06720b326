INSERT INTO revision (definition, number, id, updated_at, revised_at, options, source)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (definition, number) DO UPDATE SET
    updated_at = excluded.updated_at, options = excluded.options
