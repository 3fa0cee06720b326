INSERT INTO signal (job, number, name, payload) VALUES (?1, ?2, ?3, ?4)
