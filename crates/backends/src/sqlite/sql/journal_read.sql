SELECT seq, number, fingerprint, outcome, at FROM journal
WHERE job = ?1 AND seq >= ?2
ORDER BY seq
LIMIT ?3
