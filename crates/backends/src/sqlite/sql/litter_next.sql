SELECT job, token FROM litter ORDER BY job, token LIMIT ?1
