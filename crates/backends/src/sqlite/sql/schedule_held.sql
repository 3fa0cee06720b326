SELECT held_by, name FROM schedule WHERE held_by IS NOT NULL ORDER BY held_by
