-- A chunk that is sent again takes the place of the first.
INSERT OR REPLACE INTO chunk (job, token, first, len, text) VALUES (?1, ?2, ?3, ?4, ?5)
