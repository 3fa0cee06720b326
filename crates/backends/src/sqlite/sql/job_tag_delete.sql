DELETE FROM job_tag WHERE tag = ?1 AND job = ?2
