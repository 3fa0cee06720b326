SELECT first, len FROM publication_gap ORDER BY first
