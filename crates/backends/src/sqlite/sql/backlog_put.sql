INSERT OR REPLACE INTO backlog (queue, flow, ready, held) VALUES (?1, ?2, ?3, ?4)
