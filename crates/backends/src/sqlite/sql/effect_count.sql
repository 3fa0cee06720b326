UPDATE job SET effects = ?2 WHERE id = ?1
