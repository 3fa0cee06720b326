UPDATE job SET journal_len = ?2 WHERE id = ?1
