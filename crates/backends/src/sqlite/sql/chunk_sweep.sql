DELETE FROM chunk
WHERE job = ?1 AND token = ?2
    AND first IN (SELECT c.first FROM chunk AS c WHERE c.job = ?1 AND c.token = ?2 LIMIT ?3)
