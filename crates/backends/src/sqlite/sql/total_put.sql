UPDATE total SET
    scheduled = ?1, submitted = ?2, running = ?3, completed = ?4, failed = ?5, cancelled = ?6,
    pairs = ?7, pairs_gone = ?8
