DELETE FROM publication_gap WHERE first = ?1 RETURNING len
