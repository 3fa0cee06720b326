SELECT run, attempt, code, message, trace, failed_at FROM attempt
WHERE job = ?1
    AND (?2 IS NULL OR code = ?2)
    AND (?3 IS NULL OR failed_at >= ?3)
    AND (?4 IS NULL OR failed_at < ?4)
ORDER BY run, attempt
LIMIT ?5 OFFSET ?6
