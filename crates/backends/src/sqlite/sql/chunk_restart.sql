DELETE FROM chunk WHERE job = ?1 AND token = ?2
