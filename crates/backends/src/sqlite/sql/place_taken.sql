-- The places of a key that are taken, counted no further than ?3.
SELECT 1 FROM job
WHERE queue = ?1 AND key = ?2 AND key IS NOT NULL AND (rank IS NOT NULL OR instance IS NOT NULL)
LIMIT ?3
