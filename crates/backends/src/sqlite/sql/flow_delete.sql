DELETE FROM flow WHERE name = ?1
