INSERT OR REPLACE INTO claimable (kind, name, count) VALUES (?1, ?2, ?3)
