INSERT OR REPLACE INTO flow (
    name, about, input_schema, params_schema, max_attempts, timeout, lease
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
