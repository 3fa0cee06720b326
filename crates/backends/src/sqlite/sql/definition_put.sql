INSERT INTO definition (name, number, project, location, created_at)
VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (name) DO UPDATE SET number = excluded.number
