SELECT token, flow, queue, attempt FROM job WHERE id = ?1
