SELECT count(*) FROM api_key
