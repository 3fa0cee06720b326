-- The chunk that holds place ?3, and those after it.
SELECT first, len, text FROM chunk
WHERE job = ?1 AND token = ?2 AND first >= coalesce(
    (SELECT max(c.first) FROM chunk AS c WHERE c.job = ?1 AND c.token = ?2 AND c.first <= ?3), 0)
ORDER BY first
