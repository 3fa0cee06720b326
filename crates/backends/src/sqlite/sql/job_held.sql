SELECT id, flow, run_at, priority FROM job
WHERE queue = ?1 AND key = ?2 AND held IS NOT NULL
ORDER BY held, id
LIMIT 1
