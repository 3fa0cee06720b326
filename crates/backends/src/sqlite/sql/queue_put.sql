INSERT OR REPLACE INTO queue (
    name, paused, concurrency, rate_count, rate_millis, key_limit, spent_units, spent_at,
    admit_after
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
