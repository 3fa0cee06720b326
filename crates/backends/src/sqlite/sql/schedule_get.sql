-- ?1 name
SELECT
    name, revision, paused, created_at, changed_at, next_at, cron, zone, clock_change, missed,
    missed_limit, overlap, flow, queue, priority, max_attempts, options, input, params, queued,
    last_tick, last_job, skipped_tick, skipped_for, failed_tick, failed_at, failed_text,
    key
FROM schedule
WHERE name = ?1
