SELECT count(*) FROM flow
