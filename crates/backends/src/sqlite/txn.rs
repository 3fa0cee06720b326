//! The transaction that the writer is in: its statements and the totals that it changes.

use std::sync::Arc;
use std::time::Duration;

use jobmill_model::JobId;
use jobmill_store::{Change, Feed};
use rusqlite::{Connection, Params, PrepFlags, Row, Statement};

use super::checkpoint;
use super::open;
use super::query::Query;
use super::total::Totals;

/// How long the writer waits for readers when the log has grown too long.
const A_MOMENT: Duration = Duration::from_millis(200);

/// The writer's connection with its prepared statements.
///
/// It lives as long as the writer, so each statement is prepared once.
pub(super) struct Txn<'c> {
    connection: &'c Connection,
    statements: Vec<Option<Statement<'c>>>,
    begin: Statement<'c>,
    commit: Statement<'c>,
    pub(super) totals: Totals,
    /// What is told after the commit.
    pub(super) changes: Vec<(JobId, Change)>,
    feed: Arc<Feed>,
}

impl<'c> Txn<'c> {
    /// Prepares a writer on this connection.
    pub(super) fn new(
        connection: &'c Connection,
        totals: Totals,
        feed: Arc<Feed>,
    ) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            statements: Query::ALL.iter().map(|_| None).collect(),
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            commit: connection.prepare("COMMIT")?,
            totals,
            changes: Vec::new(),
            feed,
        })
    }

    /// Begins the transaction.
    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.begin.execute([]).map(drop)
    }

    /// Writes the totals and commits; when this answers, the transaction is on disk.
    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        self.write_totals()?;
        self.commit.execute([])?;
        self.totals.commit();
        self.feed.push(self.changes.drain(..));
        Ok(())
    }

    /// Undoes the transaction, if there still is one: a full disk ends it before we do.
    pub(super) fn roll_back(&mut self) {
        self.totals.roll_back();
        self.changes.clear();
        if self.is_open()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    /// Whether a transaction is open.
    pub(super) fn is_open(&self) -> bool {
        !self.connection.is_autocommit()
    }

    /// Runs a statement that has no parameters and no rows and is seldom needed.
    pub(super) fn rare(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.execute_batch(sql)
    }

    /// Limits the size of the data file; nothing lifts the limit.
    pub(super) fn set_max_bytes(&self, max_bytes: Option<u64>) -> rusqlite::Result<()> {
        open::set_max_bytes(self.connection, max_bytes)
    }

    /// Copies the log between two transactions, as far as readers let it be copied; answers
    /// whether all of it was.
    pub(super) fn copy_log(&self) -> rusqlite::Result<bool> {
        let (_, pages, copied) =
            checkpoint::checkpoint(self.connection, "PRAGMA wal_checkpoint(PASSIVE)")?;
        Ok(pages == copied)
    }

    /// Copies the log and cuts it to nothing, waiting a moment for readers to end; answers
    /// whether that was done.
    pub(super) fn cut_log(&self) -> rusqlite::Result<bool> {
        self.connection.busy_timeout(A_MOMENT)?;
        let cut = checkpoint::checkpoint(self.connection, "PRAGMA wal_checkpoint(TRUNCATE)");
        self.connection.busy_timeout(open::PATIENCE)?;
        cut.map(|(busy, ..)| !busy)
    }

    /// Runs a statement; answers how many rows it changed.
    pub(super) fn execute(&mut self, query: Query, params: impl Params) -> rusqlite::Result<usize> {
        self.statement(query)?.execute(params)
    }

    /// The first row that a statement finds, if any.
    pub(super) fn first<T>(
        &mut self,
        query: Query,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Option<T>> {
        let mut rows = self.statement(query)?.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// All rows that a statement finds.
    pub(super) fn all<T>(
        &mut self,
        query: Query,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.statement(query)?.query_map(params, read)?.collect()
    }

    fn statement(&mut self, query: Query) -> rusqlite::Result<&mut Statement<'c>> {
        match &mut self.statements[query as usize] {
            Some(statement) => Ok(statement),
            slot @ None => {
                let flags = PrepFlags::SQLITE_PREPARE_PERSISTENT;
                Ok(slot.insert(self.connection.prepare_with_flags(query.text(), flags)?))
            }
        }
    }
}
