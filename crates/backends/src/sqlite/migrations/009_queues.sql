-- Queues with rules of their own, and keys whose jobs go one after the other.

ALTER TABLE job ADD COLUMN key TEXT;
ALTER TABLE schedule ADD COLUMN key TEXT;

-- Set while the job waits for others of its key, and only then: the lowest is next. Such a job
-- has no rank, so no claim comes by it.
ALTER TABLE job ADD COLUMN held INTEGER;

-- Jobs that take a place of their key: claimable ones and those under a lease.
CREATE INDEX job_key_taken ON job (queue, key)
WHERE key IS NOT NULL AND (rank IS NOT NULL OR instance IS NOT NULL);

CREATE INDEX job_key_held ON job (queue, key, held) WHERE held IS NOT NULL;

-- A claim reads queue by queue, so that a pause or a full queue costs nothing to pass.
DROP INDEX job_claimable;
CREATE INDEX job_claimable ON job (queue, flow, rank) WHERE rank IS NOT NULL;

-- Kept totals: claimable and held jobs of each flow in each queue, where there are any.
CREATE TABLE backlog (
    queue TEXT NOT NULL,
    flow  TEXT NOT NULL,
    ready INTEGER NOT NULL,
    held  INTEGER NOT NULL,
    PRIMARY KEY (queue, flow)
) STRICT, WITHOUT ROWID;

INSERT INTO backlog
SELECT queue, flow, count(*), 0 FROM job WHERE rank IS NOT NULL GROUP BY queue, flow;

DROP TABLE claimable;

-- Queues of which something was set. What is used up of a rate: see the model.
CREATE TABLE queue (
    name        TEXT NOT NULL PRIMARY KEY,
    paused      INTEGER NOT NULL,
    concurrency INTEGER,
    rate_count  INTEGER,
    rate_millis INTEGER,
    key_limit   INTEGER NOT NULL,
    spent_units INTEGER NOT NULL,
    spent_at    INTEGER NOT NULL,
    -- Where to go on letting held jobs through after the limit of keys was raised: after this
    -- key; nothing when that is done.
    admit_after TEXT
) STRICT, WITHOUT ROWID;
