SELECT expires_at FROM lease ORDER BY expires_at LIMIT 1
