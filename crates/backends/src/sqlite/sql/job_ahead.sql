SELECT count(*) FROM (
    SELECT 1 FROM job
    WHERE queue = ?1 AND flow = ?2 AND rank IS NOT NULL AND rank <= ?3 AND (rank < ?3 OR id < ?4)
    LIMIT ?5
)
