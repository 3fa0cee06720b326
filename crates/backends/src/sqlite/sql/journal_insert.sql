INSERT INTO journal (job, seq, number, fingerprint, outcome) VALUES (?1, ?2, ?3, ?4, ?5)
