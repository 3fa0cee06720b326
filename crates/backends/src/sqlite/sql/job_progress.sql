UPDATE job SET progress_done = ?3, progress_total = ?4, progress_message = ?5
WHERE id = ?1 AND token = ?2 AND state = 2 AND instance IS NOT NULL
