INSERT INTO attempt (job, run, attempt, code, message, trace, failed_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
