UPDATE job SET appended = 1 WHERE id = ?1
