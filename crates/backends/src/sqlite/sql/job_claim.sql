UPDATE job SET
    state = 2, token = ?2, instance = ?3, rank = NULL, attempt = ?4, begun = 1, appended = 0,
    started_at = ?5, waiting_for = NULL
WHERE id = ?1
