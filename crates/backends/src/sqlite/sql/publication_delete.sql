DELETE FROM publication WHERE first = ?1
