INSERT INTO job_input (job, input, params) VALUES (?1, ?2, ?3)
