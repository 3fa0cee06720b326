SELECT scope, key, jobs FROM idempotency WHERE keep_until <= ?1 ORDER BY keep_until
