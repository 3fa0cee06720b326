-- Jobs that have ended can be deleted.

-- The number of the first entry of the job's published result, to find its publication by.
ALTER TABLE job ADD COLUMN publication INTEGER;

UPDATE job SET publication = p.first FROM publication AS p WHERE p.job = job.id;

-- Entries of deleted results; with them taken off, `pairs` is how many there are.
ALTER TABLE total ADD COLUMN pairs_gone INTEGER NOT NULL DEFAULT 0;

-- The numbers of those entries, as ranges that neither meet nor overlap. Old results go first, so
-- there are few.
CREATE TABLE publication_gap (
    first INTEGER PRIMARY KEY,
    len   INTEGER NOT NULL
) STRICT;
