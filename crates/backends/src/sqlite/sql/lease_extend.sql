UPDATE lease SET expires_at = ?2, span = ?3 WHERE job = ?1
