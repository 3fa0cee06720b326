SELECT name, about, input_schema, params_schema, max_attempts, timeout, lease FROM flow
ORDER BY name
