-- Documents, and the rows of tables. None of it is touched by a job that does not use it.

CREATE TABLE document (
    collection TEXT NOT NULL,
    parent TEXT NOT NULL,
    id TEXT NOT NULL,
    content TEXT NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    PRIMARY KEY (collection, parent, id)
) STRICT, WITHOUT ROWID;

-- How much each set of rows holds.
CREATE TABLE row_set (
    name TEXT NOT NULL PRIMARY KEY,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE table_row (
    set_name TEXT NOT NULL,
    number INTEGER NOT NULL,
    content TEXT NOT NULL,
    insert_id TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (set_name, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX table_row_known ON table_row (set_name, insert_id, at) WHERE insert_id IS NOT NULL;
