SELECT instance IS NOT NULL, rank, due_at FROM job WHERE id = ?1
