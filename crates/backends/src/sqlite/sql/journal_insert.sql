INSERT INTO journal (job, seq, number, fingerprint, outcome, at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
