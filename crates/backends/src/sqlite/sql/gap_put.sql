INSERT OR REPLACE INTO publication_gap (first, len) VALUES (?1, ?2)
