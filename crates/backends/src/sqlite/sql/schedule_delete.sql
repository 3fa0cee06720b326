-- ?1 name
DELETE FROM schedule WHERE name = ?1
