//! The store on one SQLite file: one writer thread with group commit, readers beside it.
//!
//! ```text
//! job_insert ──► admissions (bounded) ─┐
//!                                      ├─► writer ─► one transaction ─► fsync ─► every answer
//! all else ────► urgent (never shed) ──┘      │
//!                                             └─► log length ─► checkpoint thread
//! job_get, job_list, output_read … ─► a read-only connection, on the caller's thread
//! ```
//!
//! Each verb is a function in the file of its noun, with its statements in `sql/`. Those that
//! write take the writer's transaction (`txn`) and never wait; nothing here reads a clock.

mod admission;
mod attempt;
mod backlog;
mod backup;
mod checkpoint;
mod definition;
mod document;
mod event;
mod flow;
mod head;
mod job;
mod journal;
mod key;
mod lanes;
mod lease;
mod ledger;
mod list;
mod measures;
mod migrate;
mod mount;
mod open;
mod output;
mod outside;
mod query;
mod queue;
mod reader;
mod request;
mod retention;
mod room;
mod row;
mod schedule;
mod signal;
mod spec;
mod table_row;
mod tally;
mod total;
mod trouble;
mod txn;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use jobmill_store::{Feed, Result, StoreError};
use parking_lot::Mutex;
use rusqlite::Connection;

pub use backup::{BackupError, Copied, backup, restore};
pub use open::{DATA_FILE, LOCK_FILE, OpenError, Options};

use checkpoint::Log;
use lanes::{Lane, Queue};
use measures::Measures;
use reader::Readers;
use request::Verb;
use total::Totals;
use writer::Keep;

/// A store in one SQLite file.
///
/// Dropping it closes it, as [`close`](Self::close) does.
#[derive(Debug)]
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Readers,
    log: Arc<Log>,
    feed: Arc<Feed>,
    measures: Arc<Measures>,
    threads: Mutex<Option<Threads>>,
}

/// What is given back when the store closes.
#[derive(Debug)]
struct Threads {
    writer: JoinHandle<Option<Connection>>,
    checkpointer: JoinHandle<()>,
    /// Let go of last: then the next server may come.
    lock: File,
}

impl SqliteStore {
    /// Opens the store in its folder, for this process alone, and brings its schema up to date.
    ///
    /// # Errors
    /// A folder that cannot be used or is in use by another server; a data file that is newer
    /// than this program, or not its own, or that cannot be written durably.
    pub fn open(options: Options) -> std::result::Result<Self, OpenError> {
        let lock = open::lock(&options.folder)?;
        let file = options.folder.join(DATA_FILE);
        let mut connection = open::writer(&file, &options)?;
        migrate::migrate(&mut connection)?;
        let log = Log::new(open::PAGE_BYTES, options.wal_soft_bytes, options.wal_hard_bytes);
        log.watch(&mut connection)?;
        let totals = Totals::load(&connection)?;
        let queue = Arc::new(Queue::new(options.limits()));
        let feed = Arc::<Feed>::default();
        let other = open::checkpointer(&file)?;
        let start = |source| OpenError::Folder { path: options.folder.clone(), source };
        let checkpointer = start_checkpointer(other, &log).map_err(start)?;
        let measures = Arc::<Measures>::default();
        let keep = Keep { log: log.clone(), feed: feed.clone(), measures: measures.clone() };
        let writer = start_writer(connection, totals, &queue, keep).map_err(start)?;
        let readers = Readers::new(file, options.reader_cache_bytes, options.readers);
        let threads = Mutex::new(Some(Threads { writer, checkpointer, lock }));
        Ok(Self { queue, readers, log, feed, measures, threads })
    }

    /// Does what waits, writes everything into the data file and lets go of the folder.
    ///
    /// Blocks until that is done; verbs that come later answer [`StoreError::Closed`].
    ///
    /// # Errors
    /// The last checkpoint failed. Nothing is lost: the next open finds it in the log.
    pub fn close(&self) -> Result<()> {
        self.queue.close();
        let Some(Threads { writer, checkpointer, lock }) = self.threads.lock().take() else {
            return Ok(());
        };
        let connection = writer.join().ok().flatten();
        self.log.stop();
        let _ = checkpointer.join();
        self.readers.close();
        let closed = connection.map_or_else(
            || Err(StoreError::Broken("the writer had ended before".to_owned())),
            shut,
        );
        drop(lock);
        closed
    }

    /// The length of the write-ahead log as of the last commit.
    #[must_use]
    pub fn wal_bytes(&self) -> u64 {
        self.log.bytes()
    }

    /// Limits the size of the data file from now on; nothing lifts the limit.
    ///
    /// # Errors
    /// The store is closed or broken.
    pub async fn set_max_bytes(&self, max_bytes: Option<u64>) -> Result<()> {
        self.ask(max_bytes, |tx, max_bytes| Ok(tx.set_max_bytes(*max_bytes)?), 0).await
    }

    /// Performs a verb that brings accepted work forward, and waits until it is on disk.
    async fn ask<I, O>(&self, input: I, verb: Verb<I, O>, bytes: usize) -> Result<O>
    where
        I: Send + 'static,
        O: Send + 'static,
    {
        self.send(Lane::Urgent, input, verb, bytes).await
    }

    /// The same with a verb that brings new work, which is refused when too much waits.
    async fn admit<I, O>(&self, input: I, verb: Verb<I, O>, bytes: usize) -> Result<O>
    where
        I: Send + 'static,
        O: Send + 'static,
    {
        self.send(Lane::Admission, input, verb, bytes).await
    }

    async fn send<I, O>(&self, lane: Lane, input: I, verb: Verb<I, O>, bytes: usize) -> Result<O>
    where
        I: Send + 'static,
        O: Send + 'static,
    {
        let (request, answer) = request::ask(input, verb, bytes);
        self.queue.push(lane, Box::new(request))?;
        answer.await.unwrap_or_else(|_| Err(self.lost()))
    }

    /// Why an answer will never come.
    fn lost(&self) -> StoreError {
        if self.queue.is_closed() {
            StoreError::Closed
        } else {
            StoreError::Broken("the writer lost the request".to_owned())
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the store was not closed cleanly");
        }
    }
}

fn start_writer(
    connection: Connection,
    totals: Totals,
    queue: &Arc<Queue>,
    keep: Keep,
) -> io::Result<JoinHandle<Option<Connection>>> {
    let queue = Arc::clone(queue);
    Builder::new().name("jobmill-writer".to_owned()).spawn(move || {
        match writer::write(&connection, totals, &queue, keep) {
            Ok(()) => Some(connection),
            Err(error) => {
                tracing::error!(%error, "the writer could not start");
                None
            }
        }
    })
}

fn start_checkpointer(connection: Connection, log: &Arc<Log>) -> io::Result<JoinHandle<()>> {
    let log = Arc::clone(log);
    Builder::new().name("jobmill-checkpoint".to_owned()).spawn(move || log.serve(&connection))
}

/// Copies the whole log into the data file and closes the last connection.
fn shut(connection: Connection) -> Result<()> {
    let copied = checkpoint::checkpoint(&connection, "PRAGMA wal_checkpoint(TRUNCATE)");
    let closed = connection.close().map_err(|(_, error)| error);
    copied.and(closed).map_err(|error| trouble::store_error(&error))
}
