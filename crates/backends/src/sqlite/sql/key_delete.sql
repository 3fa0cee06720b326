-- ?1 name
DELETE FROM api_key WHERE name = ?1
