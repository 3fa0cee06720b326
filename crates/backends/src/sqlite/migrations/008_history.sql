-- When an outcome came back: steps are shown with their times.
ALTER TABLE journal ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
