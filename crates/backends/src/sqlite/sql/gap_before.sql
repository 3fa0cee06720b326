SELECT first, len FROM publication_gap WHERE first < ?1 ORDER BY first DESC LIMIT 1
