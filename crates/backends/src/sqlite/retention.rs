//! Which of the jobs that have ended are the oldest, at a bounded cost.

use async_trait::async_trait;
use jobmill_model::{JobId, State};
use jobmill_store::{OldestPage, OldestQuery, Result, Retention};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row;

/// The most rows that one page looks at: some ten milliseconds' worth.
const LOOKS: usize = 20_000;

#[async_trait]
impl Retention for SqliteStore {
    async fn job_oldest(&self, query: &OldestQuery) -> Result<OldestPage> {
        self.readers.read(|connection| oldest(connection, query))
    }
}

fn oldest(connection: &Connection, query: &OldestQuery) -> rusqlite::Result<OldestPage> {
    let mut page = OldestPage::default();
    if !query.state.is_final() || query.limit == 0 {
        return Ok(page);
    }
    let after = query.after.map_or_else(String::new, |id| id.to_string());
    let before = JobId::floor(query.before).to_string();
    let state = row::state_column(query.state);
    let mut statement = prepare(
        connection,
        match query.state {
            State::Completed => Query::JobOldest,
            _ => Query::JobOldestOpen,
        },
    )?;
    let mut rows = statement.query(params![after, before, state])?;
    let mut looked_at = query.after;
    for looks in 0.. {
        let Some(row) = rows.next()? else { break };
        if page.ids.len() == query.limit || looks == LOOKS {
            page.next = looked_at;
            break;
        }
        let (id, ended) = (row::id(row, 0)?, row::time_or_none(row, 2)?);
        looked_at = Some(id);
        if row::state(row, 1)? == query.state && ended.is_some_and(|end| end < query.before) {
            page.ids.push(id);
        }
    }
    Ok(page)
}
