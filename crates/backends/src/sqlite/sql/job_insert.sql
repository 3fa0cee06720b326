INSERT INTO job (
    id, state, token, instance, rank, due_at, flow, queue, priority, run_at, attempt,
    max_attempts, begun, started_at, parent, options, input, params,
    key, held, mark, mark_until
) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
    ?20, ?21, ?22)
