SELECT job.id, job.state, job.flow, job.queue, job.finished_at, job.parent
FROM job_tag CROSS JOIN job ON job.id = job_tag.job
WHERE job_tag.tag = ?3 AND job_tag.job < ?1 AND job_tag.job >= ?2
ORDER BY job_tag.job DESC
