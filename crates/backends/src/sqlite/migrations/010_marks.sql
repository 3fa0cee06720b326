-- Jobs that are not submitted beside another one with their mark.

ALTER TABLE job ADD COLUMN mark BLOB;

-- Until when the job is in the way although it has ended.
ALTER TABLE job ADD COLUMN mark_until INTEGER;

CREATE INDEX job_mark ON job (mark) WHERE mark IS NOT NULL AND state < 3;

CREATE INDEX job_mark_late ON job (mark, mark_until) WHERE mark_until IS NOT NULL;
