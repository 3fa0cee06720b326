-- ?1 name, ?2 when
UPDATE api_key SET used_at = max(coalesce(used_at, 0), ?2) WHERE name = ?1
