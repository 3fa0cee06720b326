SELECT value FROM effect WHERE job = ?1 AND name = ?2
