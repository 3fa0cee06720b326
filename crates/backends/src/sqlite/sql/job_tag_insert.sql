INSERT OR IGNORE INTO job_tag (tag, job) VALUES (?1, ?2)
