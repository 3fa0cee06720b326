//! Keeps the write-ahead log short, off the commit path.
//!
//! A thread of its own copies the log back into the data file while the writer goes on; that is
//! the bulk of the work. It can never quite finish under load, since the log grows meanwhile, and
//! a log is only begun anew when all of it has been copied. So the writer copies the small rest
//! between two transactions; and if the log grows beyond a hard limit all the same, because
//! somebody reads for long, the writer waits for a moment to cut it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::txn::Txn;

/// The state of the write-ahead log, in pages.
#[derive(Debug)]
pub(super) struct Log {
    page_bytes: u64,
    soft_pages: u64,
    hard_pages: u64,
    /// As of the last commit.
    pages: AtomicU64,
    /// The length at which the writer will next try to finish a checkpoint.
    finish_at: AtomicU64,
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

/// What the checkpoint thread is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Checkpoint,
    /// It has copied all that it could; the writer may do the rest.
    Finish,
    Stop,
}

impl Log {
    pub(super) fn new(page_bytes: u64, soft_bytes: u64, hard_bytes: u64) -> Arc<Self> {
        let soft_pages = (soft_bytes / page_bytes).max(1);
        Arc::new(Self {
            page_bytes,
            soft_pages,
            hard_pages: (hard_bytes / page_bytes).max(soft_pages),
            pages: AtomicU64::new(0),
            finish_at: AtomicU64::new(0),
            wanted: Mutex::new(Wanted::Nothing),
            changed: Condvar::new(),
        })
    }

    /// Its length as of the last commit.
    pub(super) fn bytes(&self) -> u64 {
        self.pages.load(Ordering::Relaxed) * self.page_bytes
    }

    /// Has the writer's connection tell the length of the log at each commit.
    pub(super) fn watch(self: &Arc<Self>, connection: &mut Connection) -> rusqlite::Result<()> {
        let log = Arc::clone(self);
        connection.wal_hook(Some(move |_: &mut Wal, pages: std::ffi::c_int| {
            log.pages.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))
    }

    /// The writer's part, after each transaction: nothing, nearly always.
    pub(super) fn keep_short(&self, tx: &Txn<'_>) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.soft_pages.max(self.finish_at.load(Ordering::Relaxed)) {
            return;
        }
        let hard = pages >= self.hard_pages;
        if !self.is_turn_of_writer(hard) {
            return;
        }
        match if hard { tx.cut_log() } else { tx.copy_log() } {
            Ok(true) => {
                self.finish_at.store(0, Ordering::Relaxed);
                self.pages.store(0, Ordering::Relaxed);
                return;
            }
            Ok(false) if hard => {
                tracing::warn!(bytes = self.bytes(), "a reader keeps the write-ahead log long");
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "a checkpoint failed"),
        }
        // Whatever is in the way may be so for long: not again at every commit.
        self.finish_at.store(pages + self.soft_pages / 4, Ordering::Relaxed);
    }

    /// Has the checkpoint thread copy the log first; answers whether it has.
    fn is_turn_of_writer(&self, hard: bool) -> bool {
        let mut wanted = self.wanted.lock();
        match *wanted {
            Wanted::Nothing => {
                *wanted = Wanted::Checkpoint;
                self.changed.notify_one();
                false
            }
            Wanted::Finish => {
                *wanted = Wanted::Nothing;
                true
            }
            Wanted::Checkpoint => hard,
            Wanted::Stop => false,
        }
    }

    /// The checkpoint thread: waits until it is wanted, until it is stopped.
    pub(super) fn serve(&self, connection: &Connection) {
        while self.wait() {
            if let Err(error) = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
                tracing::warn!(%error, "a checkpoint failed");
            }
            let mut wanted = self.wanted.lock();
            if *wanted == Wanted::Checkpoint {
                *wanted = Wanted::Finish;
            }
        }
    }

    /// Ends the checkpoint thread.
    pub(super) fn stop(&self) {
        *self.wanted.lock() = Wanted::Stop;
        self.changed.notify_one();
    }

    fn wait(&self) -> bool {
        let mut wanted = self.wanted.lock();
        while !matches!(*wanted, Wanted::Checkpoint | Wanted::Stop) {
            self.changed.wait(&mut wanted);
        }
        *wanted == Wanted::Checkpoint
    }
}

/// Runs a checkpoint; answers whether somebody was in its way, and how many pages the log has
/// and how many of them have been copied.
pub(super) fn checkpoint(
    connection: &Connection,
    pragma: &str,
) -> rusqlite::Result<(bool, i64, i64)> {
    connection.query_row(pragma, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}
