SELECT key FROM job WHERE queue = ?1 AND key > ?2 AND held IS NOT NULL ORDER BY key LIMIT 1
