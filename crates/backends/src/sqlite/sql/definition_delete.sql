DELETE FROM definition WHERE name = ?1
