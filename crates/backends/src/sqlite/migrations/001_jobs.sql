-- The first schema. It is read by the stock sqlite3 program too, so it uses nothing newer than
-- SQLite 3.38.
--
-- Tables are WITHOUT ROWID and keyed by the text of the job's id: ids are made in the order of
-- time, so rows of one commit land on the same few pages at the right edge of each tree, and
-- the views below find a job by its primary key. Times are milliseconds since 1970.

-- One row for each job. What changes and what is asked for often comes first.
CREATE TABLE job (
    id               TEXT NOT NULL PRIMARY KEY,
    -- 0 scheduled, 1 submitted, 2 running, 3 completed, 4 failed, 5 cancelled
    state            INTEGER NOT NULL,
    -- The last token given out; that of the published result once the job is completed.
    token            INTEGER NOT NULL,
    -- Who holds the lease; no lease, no instance. A running job without one is parked.
    instance         BLOB,
    -- Set while the job is claimable, and only then: the lowest leaves first.
    rank             INTEGER,
    -- Set while the job waits for a time: a scheduled one for its start, a parked one to wake.
    due_at           INTEGER,
    flow             TEXT NOT NULL,
    queue            TEXT NOT NULL,
    priority         INTEGER NOT NULL,
    run_at           INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    max_attempts     INTEGER NOT NULL,
    crashes          INTEGER NOT NULL DEFAULT 0,
    run              INTEGER NOT NULL DEFAULT 1,
    -- 1 while the present attempt has begun and is not settled: a claim then goes on with it.
    begun            INTEGER NOT NULL,
    -- Entries in the journal; the number of the last signal ever received.
    journal_len      INTEGER NOT NULL DEFAULT 0,
    last_signal      INTEGER NOT NULL DEFAULT 0,
    -- 1 if chunks were appended under the present lease.
    appended         INTEGER NOT NULL DEFAULT 0,
    started_at       INTEGER,
    finished_at      INTEGER,
    -- The extent of the result of a completed job: 0 an object, 1 any other value.
    result_shape     INTEGER,
    result_len       INTEGER,
    error_code       TEXT,
    error_message    TEXT,
    waiting_for      TEXT,
    progress_done    INTEGER,
    progress_total   INTEGER,
    progress_message TEXT,
    parent           TEXT,
    -- Options that are seldom given, as one JSON object.
    options          TEXT,
    -- Small inputs stay here, which saves a tree; larger ones are in job_input, so that a
    -- change of state does not write them again.
    input            TEXT,
    params           TEXT
) STRICT, WITHOUT ROWID;

-- What a claim reads: of each flow, the claimable jobs by rank and id. Jobs that cannot run now
-- are not in it.
CREATE INDEX job_claimable ON job (flow, rank) WHERE rank IS NOT NULL;

-- What becomes due next.
CREATE INDEX job_due ON job (due_at) WHERE due_at IS NOT NULL;

-- Every job but the completed ones by state and id, for lists and for the leases of the dead.
-- Completed jobs are nearly all jobs, and a list of them reads the table itself.
CREATE INDEX job_open ON job (state) WHERE state <> 3;

CREATE INDEX job_child ON job (parent) WHERE parent IS NOT NULL;

CREATE TABLE job_input (
    job    TEXT NOT NULL PRIMARY KEY,
    input  TEXT NOT NULL,
    params TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_tag (
    tag TEXT NOT NULL,
    job TEXT NOT NULL,
    PRIMARY KEY (tag, job)
) STRICT, WITHOUT ROWID;

-- jobs: the ids of the submission, sixteen bytes each, in order.
CREATE TABLE idempotency (
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    body       BLOB NOT NULL,
    keep_until INTEGER NOT NULL,
    jobs       BLOB NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_past ON idempotency (keep_until);

CREATE TABLE journal (
    job         TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    -- The 64 bits of the fingerprint, as a signed number.
    fingerprint INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE signal (
    job     TEXT NOT NULL,
    number  INTEGER NOT NULL,
    name    TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (job, number)
) STRICT, WITHOUT ROWID;

-- Failed attempts. An attempt fails at most once, so its number names it.
CREATE TABLE attempt (
    job       TEXT NOT NULL,
    run       INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    code      TEXT NOT NULL,
    message   TEXT NOT NULL,
    trace     TEXT NOT NULL,
    failed_at INTEGER NOT NULL,
    PRIMARY KEY (job, run, attempt)
) STRICT, WITHOUT ROWID;

-- Results, in pieces: those under the token of a completed job are published.
CREATE TABLE chunk (
    job   TEXT NOT NULL,
    token INTEGER NOT NULL,
    first INTEGER NOT NULL,
    len   INTEGER NOT NULL,
    text  TEXT NOT NULL,
    PRIMARY KEY (job, token, first)
) STRICT, WITHOUT ROWID;

-- Tokens whose chunks will never be published, until they are swept.
CREATE TABLE litter (
    job   TEXT NOT NULL,
    token INTEGER NOT NULL,
    PRIMARY KEY (job, token)
) STRICT, WITHOUT ROWID;

-- Published objects in the order of their publication, by the number of their first entry among
-- all entries ever published, from 1. Empty ones have no number.
CREATE TABLE publication (
    first INTEGER PRIMARY KEY,
    job   TEXT NOT NULL,
    len   INTEGER NOT NULL
) STRICT;

-- Kept totals: jobs in each state, entries published. One row.
CREATE TABLE total (
    scheduled INTEGER NOT NULL,
    submitted INTEGER NOT NULL,
    running   INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    failed    INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    pairs     INTEGER NOT NULL
) STRICT;

INSERT INTO total VALUES (0, 0, 0, 0, 0, 0, 0);

-- Kept totals: claimable jobs of each queue (kind 0) and of each flow (kind 1), where any are.
CREATE TABLE claimable (
    kind  INTEGER NOT NULL,
    name  TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

-- For readers: the table of document 001, in its words. A job that waits or runs is
-- "processing"; "cancelled" is a word that the document lacks.
CREATE VIEW jobs (job_id, input_data, output_data, status) AS
SELECT
    job.id,
    coalesce(job.input, (SELECT i.input FROM job_input AS i WHERE i.job = job.id)),
    CASE
        WHEN job.state <> 3 THEN NULL
        WHEN job.result_shape = 0 THEN '{' || coalesce((
            SELECT group_concat(substr(c.text, 2, length(c.text) - 2), ',')
            FROM (
                SELECT text FROM chunk
                WHERE chunk.job = job.id AND chunk.token = job.token AND chunk.len > 0
                ORDER BY chunk.first
            ) AS c
        ), '') || '}'
        ELSE (
            SELECT group_concat(c.text, '')
            FROM (
                SELECT text FROM chunk
                WHERE chunk.job = job.id AND chunk.token = job.token
                ORDER BY chunk.first
            ) AS c
        )
    END,
    CASE job.state
        WHEN 3 THEN 'completed'
        WHEN 4 THEN 'failed'
        WHEN 5 THEN 'cancelled'
        ELSE 'processing'
    END
FROM job;

-- For readers: the entries of published objects, by job and in order. CROSS JOIN fixes the order
-- of the loops, and with it the order of the rows, without a sort.
CREATE VIEW output (job_id, key, value) AS
SELECT
    job.id,
    entry.key,
    CASE entry.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE entry.value END
FROM job
CROSS JOIN chunk ON chunk.job = job.id AND chunk.token = job.token
CROSS JOIN json_each(chunk.text) AS entry
WHERE job.state = 3 AND job.result_shape = 0;
