UPDATE job SET
    state = ?2, token = ?3, instance = ?4, rank = ?5, due_at = ?6, run_at = ?7, attempt = ?8,
    crashes = ?9, run = ?10, begun = ?11, journal_len = ?12, last_signal = ?13, appended = ?14,
    started_at = ?15, finished_at = ?16, error_code = ?17, error_message = ?18, waiting_for = ?19,
    progress_done = ?20, progress_total = ?21, progress_message = ?22,
    held = ?23
WHERE id = ?1
