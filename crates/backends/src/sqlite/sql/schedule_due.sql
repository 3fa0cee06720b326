-- ?1 now
SELECT name FROM schedule WHERE next_at <= ?1
