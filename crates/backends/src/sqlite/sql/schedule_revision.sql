-- ?1 name
SELECT revision FROM schedule WHERE name = ?1
