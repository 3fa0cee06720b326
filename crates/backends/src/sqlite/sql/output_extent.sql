SELECT result_shape, result_len, token FROM job WHERE id = ?1 AND state = 3
