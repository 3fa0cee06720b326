INSERT INTO lease (job, expires_at, span, deadline, worker) VALUES (?1, ?2, ?3, ?4, ?5)
