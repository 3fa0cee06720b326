SELECT seq, number, fingerprint, outcome FROM journal
WHERE job = ?1 AND seq >= ?2
ORDER BY seq
LIMIT ?3
