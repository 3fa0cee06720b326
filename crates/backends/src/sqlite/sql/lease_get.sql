SELECT expires_at, span, deadline, worker FROM lease WHERE job = ?1
