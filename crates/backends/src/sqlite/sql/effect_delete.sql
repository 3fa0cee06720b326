DELETE FROM effect WHERE job = ?1
