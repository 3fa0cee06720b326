-- The publication that holds entry ?1, and those after it.
SELECT publication.first, publication.len, job.id, job.token
FROM publication CROSS JOIN job ON job.id = publication.job
WHERE publication.first >= (
    SELECT max(p.first) FROM publication AS p WHERE p.first <= ?1
)
ORDER BY publication.first
