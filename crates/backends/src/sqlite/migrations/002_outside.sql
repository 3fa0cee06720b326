-- Leases of workers outside the server, the results of their steps, and their flows.

-- A job under such a lease names the instance of sixteen zero bytes. The row is there as long as
-- the lease is, so jobs that the server performs itself have none.
CREATE TABLE lease (
    job        TEXT NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    -- How long the lease lasts without a heartbeat.
    span       INTEGER NOT NULL,
    -- When the attempt has taken as long as it may.
    deadline   INTEGER,
    worker     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which lease ends next.
CREATE INDEX lease_expiry ON lease (expires_at);

-- The results of steps in the present run; the job's row counts them.
CREATE TABLE effect (
    job   TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (job, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE job ADD COLUMN effects INTEGER NOT NULL DEFAULT 0;

-- Declared flows.
CREATE TABLE flow (
    name          TEXT NOT NULL PRIMARY KEY,
    about         TEXT NOT NULL,
    input_schema  TEXT NOT NULL,
    params_schema TEXT NOT NULL,
    max_attempts  INTEGER NOT NULL,
    timeout       INTEGER,
    lease         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
