DELETE FROM litter WHERE job = ?1
