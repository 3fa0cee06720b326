DELETE FROM backlog WHERE queue = ?1 AND flow = ?2
