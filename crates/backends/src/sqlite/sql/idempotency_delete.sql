DELETE FROM idempotency WHERE scope = ?1 AND key = ?2
