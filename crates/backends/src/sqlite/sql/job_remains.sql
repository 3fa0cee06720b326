SELECT state, token, parent, options, input IS NULL, publication, result_len FROM job
WHERE id = ?1
