UPDATE job SET rank = ?2, held = NULL WHERE id = ?1
