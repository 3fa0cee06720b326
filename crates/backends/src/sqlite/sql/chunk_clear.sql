DELETE FROM chunk WHERE job = ?1
