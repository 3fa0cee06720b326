UPDATE job SET last_signal = ?2 WHERE id = ?1
