-- ?1 to ?29 the columns in their order, but held_by and key last
INSERT OR REPLACE INTO schedule (
    name, revision, paused, created_at, changed_at, next_at, cron, zone, clock_change, missed,
    missed_limit, overlap, flow, queue, priority, max_attempts, options, input, params, queued,
    last_tick, last_job, skipped_tick, skipped_for, failed_tick, failed_at, failed_text, held_by,
    key
) VALUES (
    ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
    ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29
)
