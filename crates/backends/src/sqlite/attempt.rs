//! Failed attempts, kept for whoever wants to know why.

use async_trait::async_trait;
use jobmill_model::job::FailedAttempt;
use jobmill_model::{Fault, Timestamp};
use jobmill_store::{AttemptQuery, Attempts, Result};
use rusqlite::{Row, params};

use super::SqliteStore;
use super::head::Head;
use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};
use super::txn::Txn;

#[async_trait]
impl Attempts for SqliteStore {
    async fn attempt_list(&self, query: &AttemptQuery) -> Result<Vec<FailedAttempt>> {
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::AttemptList)?;
            let values = params![
                Key::of(query.id),
                query.code,
                query.since.map(Timestamp::as_millis),
                query.until.map(Timestamp::as_millis),
                i64::try_from(query.limit).unwrap_or(i64::MAX),
                i64::try_from(query.skip).unwrap_or(i64::MAX),
            ];
            statement.query_map(values, attempt)?.collect()
        })
    }
}

impl Txn<'_> {
    /// Keeps the failure of the present attempt, cut to what is kept of one.
    pub(super) fn keep_failure(
        &mut self,
        head: &mut Head,
        fault: Fault,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        let fault = fault.trimmed();
        self.execute(
            Query::AttemptInsert,
            params![
                Key::of(head.id),
                head.run,
                head.attempt,
                fault.code,
                fault.message,
                fault.trace,
                at.as_millis(),
            ],
        )?;
        head.note_failure(&fault);
        Ok(())
    }
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<FailedAttempt> {
    Ok(FailedAttempt {
        run: row.get(0)?,
        attempt: row.get(1)?,
        code: row.get(2)?,
        message: row.get(3)?,
        trace: row.get(4)?,
        at: row::time(row, 5)?,
    })
}
