SELECT state, token, parent, options, input IS NULL, publication, result_len,
    journal_len > 0
FROM job
WHERE id = ?1
