-- API keys: the hash of each, never its secret.
CREATE TABLE api_key (
    name            TEXT NOT NULL PRIMARY KEY,
    hash            BLOB NOT NULL,
    -- Bits: 1 read, 2 submit, 4 work, 8 admin
    roles           INTEGER NOT NULL,
    rate_per_minute INTEGER,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    -- About when it was used last.
    used_at         INTEGER
) STRICT, WITHOUT ROWID;
