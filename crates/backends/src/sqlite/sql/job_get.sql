SELECT
    id, state, flow, queue, priority, run_at, attempt, max_attempts, crashes, run,
    progress_done, progress_total, progress_message, started_at, finished_at,
    error_code, error_message, waiting_for, parent, options,
    coalesce(input, (SELECT i.input FROM job_input AS i WHERE i.job = job.id)),
    coalesce(params, (SELECT i.params FROM job_input AS i WHERE i.job = job.id)),
    token, begun, key
FROM job
WHERE id = ?1
