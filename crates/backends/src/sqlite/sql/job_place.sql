SELECT instance IS NOT NULL, rank, due_at, held IS NOT NULL FROM job WHERE id = ?1
