DELETE FROM claimable WHERE kind = ?1 AND name = ?2
