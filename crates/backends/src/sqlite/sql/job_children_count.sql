SELECT count(*), count(CASE WHEN state IN (3, 4, 5) THEN 1 END) FROM (
    SELECT state FROM job WHERE parent = ?1 LIMIT ?2
)
