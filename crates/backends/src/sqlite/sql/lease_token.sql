SELECT token FROM job WHERE id = ?1
