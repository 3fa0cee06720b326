SELECT count(*) FROM lease
