DELETE FROM signal WHERE job = ?1
