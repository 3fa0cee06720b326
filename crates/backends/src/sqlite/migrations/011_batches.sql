-- Jobs that begin when their children have ended.

CREATE INDEX job_child_state ON job (parent, state) WHERE parent IS NOT NULL;
