DELETE FROM queue WHERE name = ?1
