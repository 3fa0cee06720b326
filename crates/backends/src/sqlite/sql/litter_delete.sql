DELETE FROM litter WHERE job = ?1 AND token = ?2
