//! The writer: one thread that owns the write connection and commits in groups.
//!
//! It takes what waits, performs it in one transaction, commits, and only then answers everyone.
//! While it waits for the disk the next group gathers by itself, so there is no timer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use jobmill_store::{Feed, Result, StoreError};
use rusqlite::Connection;

use super::checkpoint::Log;
use super::lanes::Queue;
use super::measures::Measures;
use super::request::Request;
use super::total::Totals;
use super::trouble::store_error;
use super::txn::Txn;

type Batch = Vec<Box<dyn Request>>;

/// What the writer keeps up to date beside the data.
pub(super) struct Keep {
    pub(super) log: Arc<Log>,
    pub(super) feed: Arc<Feed>,
    pub(super) measures: Arc<Measures>,
}

/// Works until the queue is closed and empty. However it ends, nobody waits for it any more.
#[expect(clippy::disallowed_methods, reason = "the writer measures its own commits")]
pub(super) fn write(
    connection: &Connection,
    totals: Totals,
    queue: &Queue,
    keep: Keep,
) -> rusqlite::Result<()> {
    let _last = Abandon(queue);
    let Keep { log, feed, measures } = keep;
    let mut tx = Txn::new(connection, totals, feed)?;
    let mut batch = Batch::new();
    while queue.drain(&mut batch) {
        let began = Instant::now();
        perform(&mut tx, &mut batch);
        measures.committed(batch.len(), began.elapsed());
        batch.drain(..).for_each(Request::answer);
        log.keep_short(&tx);
    }
    Ok(())
}

/// Drops what waits when the writer ends, even by a panic.
struct Abandon<'a>(&'a Queue);

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Performs a batch; afterwards each request has its answer and no transaction is open.
fn perform(tx: &mut Txn<'_>, batch: &mut Batch) {
    let done = catch_unwind(AssertUnwindSafe(|| transact(tx, batch)));
    let failed = match done {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(_) => StoreError::Broken("a verb of the store panicked".to_owned()),
    };
    tracing::error!(error = ?failed, requests = batch.len(), "a transaction failed");
    tx.roll_back();
    batch.iter_mut().for_each(|request| request.fail(failed.clone()));
}

/// One transaction for the whole batch; an error is everybody's.
///
/// There is no savepoint around each request: one costs more than a small verb, since every page
/// that is touched after it is copied first. Instead, where a request fails half way, which
/// takes a broken row or a full disk, all is undone and performed again with savepoints. Nobody
/// has been answered yet, and verbs depend on nothing but their input and the data, so the
/// second time the others come to what they would have come to without their neighbour.
fn transact(tx: &mut Txn<'_>, batch: &mut Batch) -> Result<()> {
    sql(tx.begin())?;
    let all = batch.iter_mut().try_for_each(|request| request.perform(tx));
    match all {
        Ok(()) => {}
        Err(error) if batch.len() == 1 => return Err(error),
        Err(error) => {
            tracing::warn!(?error, "a request failed; its neighbours are done again without it");
            tx.roll_back();
            sql(tx.begin())?;
            one_by_one(tx, batch)?;
        }
    }
    sql(tx.commit())
}

/// Performs each request within a savepoint of its own, so that one that fails undoes itself
/// alone.
fn one_by_one(tx: &mut Txn<'_>, batch: &mut Batch) -> Result<()> {
    for request in batch {
        let (mark, changes) = (tx.totals.mark(), tx.changes.len());
        sql(tx.rare("SAVEPOINT request"))?;
        if let Err(error) = request.perform(tx) {
            // Some errors, such as a full disk, end the whole transaction.
            if !tx.is_open() {
                return Err(error);
            }
            sql(tx.rare("ROLLBACK TO request"))?;
            tx.totals.rewind(mark);
            tx.changes.truncate(changes);
            request.fail(error);
        }
        sql(tx.rare("RELEASE request"))?;
    }
    Ok(())
}

fn sql(result: rusqlite::Result<()>) -> Result<()> {
    result.map_err(|error| store_error(&error))
}
