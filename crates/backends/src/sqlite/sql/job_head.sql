SELECT
    state, token, instance, rank, due_at, flow, queue, priority, run_at, attempt, crashes, run,
    begun, journal_len, last_signal, appended, started_at, finished_at, error_code, error_message,
    waiting_for, progress_done, progress_total, progress_message,
    effects, key, held,
    -- Whether somebody is told of the end.
    json_extract(options, '$.webhook') IS NOT NULL,
    parent
FROM job
WHERE id = ?1
