INSERT INTO publication (first, job, len) VALUES (?1, ?2, ?3)
