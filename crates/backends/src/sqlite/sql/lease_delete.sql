DELETE FROM lease WHERE job = ?1
