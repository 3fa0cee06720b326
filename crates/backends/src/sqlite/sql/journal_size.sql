-- octet_length does not read the pages that a long text overflows into.
SELECT coalesce(sum(octet_length(outcome)), 0) FROM journal WHERE job = ?1
