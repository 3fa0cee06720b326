DELETE FROM signal WHERE job = ?1 AND number = ?2
