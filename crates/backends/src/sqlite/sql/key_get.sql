-- ?1 name
SELECT 1 FROM api_key WHERE name = ?1
