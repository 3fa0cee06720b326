//! Read-only connections, one for each call that is under way.

use std::path::PathBuf;

use jobmill_store::{Result, StoreError};
use parking_lot::Mutex;
use rusqlite::{CachedStatement, Connection};

use super::open;
use super::query::Query;
use super::trouble::store_error;

/// Connections that are not in use.
#[derive(Debug)]
pub(super) struct Readers {
    file: PathBuf,
    cache_bytes: u64,
    keep: usize,
    /// Nothing once closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(file: PathBuf, cache_bytes: u64, keep: usize) -> Self {
        Self { file, cache_bytes, keep, idle: Mutex::new(Some(Vec::new())) }
    }

    /// Reads within one snapshot, on the caller's thread.
    ///
    /// A call takes a connection that is free or opens one, so none waits for another, and there
    /// are never more than threads that read. After an error the connection is not used again.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let connection = self.take()?;
        let answer = snapshot(&connection, read).map_err(|error| store_error(&error))?;
        if let Some(idle) = self.idle.lock().as_mut().filter(|idle| idle.len() < self.keep) {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// Lets go of every connection and opens no more.
    pub(super) fn close(&self) {
        drop(self.idle.lock().take());
    }

    fn take(&self) -> Result<Connection> {
        let free = self.idle.lock().as_mut().ok_or(StoreError::Closed)?.pop();
        match free {
            Some(connection) => Ok(connection),
            None => open::reader(&self.file, self.cache_bytes).map_err(|error| store_error(&error)),
        }
    }
}

/// Statements that see the data as it stood at one moment; the snapshot ends with the call, so
/// that it never keeps the log from being begun anew.
fn snapshot<T>(
    connection: &Connection,
    read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let answer = read(connection)?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(answer)
}

/// A statement of the store on a reader.
pub(super) fn prepare(
    connection: &Connection,
    query: Query,
) -> rusqlite::Result<CachedStatement<'_>> {
    connection.prepare_cached(query.text())
}
