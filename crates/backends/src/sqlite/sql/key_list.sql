SELECT name, hash, roles, rate_per_minute, created_at, expires_at, used_at
FROM api_key
ORDER BY name
