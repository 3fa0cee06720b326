INSERT INTO idempotency (scope, key, body, keep_until, jobs) VALUES (?1, ?2, ?3, ?4, ?5)
