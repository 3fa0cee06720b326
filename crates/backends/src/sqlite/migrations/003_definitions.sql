-- Workflows: one row for each, and one for each of their revisions.

CREATE TABLE definition (
    name       TEXT NOT NULL PRIMARY KEY,
    -- The number of the present revision.
    number     INTEGER NOT NULL,
    project    TEXT NOT NULL,
    location   TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revision (
    definition TEXT NOT NULL,
    number     INTEGER NOT NULL,
    id         TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    revised_at INTEGER NOT NULL,
    -- What was deployed besides the source, as one JSON object.
    options    TEXT NOT NULL,
    source     TEXT NOT NULL,
    PRIMARY KEY (definition, number)
) STRICT, WITHOUT ROWID;
