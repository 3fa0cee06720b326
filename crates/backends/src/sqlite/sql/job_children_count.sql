SELECT
    count(*), count(CASE state WHEN 3 THEN 1 END), count(CASE state WHEN 4 THEN 1 END),
    count(CASE state WHEN 5 THEN 1 END)
FROM (
    SELECT state FROM job WHERE parent = ?1 LIMIT ?2
)
