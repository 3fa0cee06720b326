DELETE FROM job_input WHERE job = ?1
