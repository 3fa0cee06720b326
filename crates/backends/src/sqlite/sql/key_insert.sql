-- ?1 to ?7 the columns in their order
INSERT INTO api_key (name, hash, roles, rate_per_minute, created_at, expires_at, used_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
