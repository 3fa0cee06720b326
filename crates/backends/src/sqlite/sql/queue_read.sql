SELECT
    name, paused, concurrency, rate_count, rate_millis, key_limit, spent_units, spent_at,
    admit_after
FROM queue
