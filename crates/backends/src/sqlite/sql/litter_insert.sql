INSERT OR IGNORE INTO litter (job, token) VALUES (?1, ?2)
