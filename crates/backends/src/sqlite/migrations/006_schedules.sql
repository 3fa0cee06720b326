-- Schedules: the job that each submits, and how far its ticks are answered.
CREATE TABLE schedule (
    name         TEXT NOT NULL PRIMARY KEY,
    -- Grows by one with every change.
    revision     INTEGER NOT NULL,
    paused       INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    changed_at   INTEGER NOT NULL,
    -- The first tick that is not answered; none while the schedule rests.
    next_at      INTEGER,
    -- The job whose end the ticks in queued wait for, empty if there was none yet; null where
    -- none wait, and while the schedule rests.
    held_by      TEXT,
    cron         TEXT NOT NULL,
    zone         TEXT NOT NULL,
    clock_change TEXT NOT NULL,
    missed       TEXT NOT NULL,
    missed_limit INTEGER NOT NULL,
    overlap      TEXT NOT NULL,
    flow         TEXT NOT NULL,
    queue        TEXT NOT NULL,
    priority     INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    -- As in the table job.
    options      TEXT,
    input        TEXT NOT NULL,
    params       TEXT NOT NULL,
    -- Ticks that wait, as a JSON list.
    queued       TEXT NOT NULL,
    last_tick    INTEGER,
    last_job     TEXT,
    skipped_tick INTEGER,
    skipped_for  TEXT,
    -- The last tick whose job could not be submitted: when it was found, and what was wrong.
    failed_tick  INTEGER,
    failed_at    INTEGER,
    failed_text  TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;

CREATE INDEX schedule_held ON schedule (held_by) WHERE held_by IS NOT NULL;
