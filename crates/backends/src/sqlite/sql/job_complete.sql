-- Leaves rank and due_at alone, which a leased job does not have, and so their indexes too.
UPDATE job SET
    state = 3, instance = NULL, begun = 0, finished_at = ?2,
    result_shape = ?3, result_len = ?4, publication = ?5, error_code = NULL, error_message = NULL,
    progress_done = ?6, progress_total = ?7, progress_message = ?8
WHERE id = ?1
