INSERT INTO effect (job, name, value) VALUES (?1, ?2, ?3)
