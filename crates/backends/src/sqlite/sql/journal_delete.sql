DELETE FROM journal WHERE job = ?1
