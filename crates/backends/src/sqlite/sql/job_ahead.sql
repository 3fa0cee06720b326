SELECT count(*) FROM (
    SELECT 1 FROM job
    WHERE flow = ?1 AND rank IS NOT NULL AND rank <= ?2 AND (rank < ?2 OR id < ?3)
    LIMIT ?4
)
