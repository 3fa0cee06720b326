//! Opens the data folder: the lock, the connections, and what is asserted of them.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jobmill_model::Span;
use rusqlite::{Connection, OpenFlags};

use super::lanes::Limits;
use super::mount;

/// The data file within the folder.
pub const DATA_FILE: &str = "jobmill.db";
/// The file that is locked while a server uses the folder.
pub const LOCK_FILE: &str = "jobmill.lock";

/// Where the store is and how much it may take.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder; it is made, for its owner only, if it is not there.
    pub folder: PathBuf,
    /// The page cache of the writer.
    pub writer_cache_bytes: u64,
    /// The page cache of each reader.
    pub reader_cache_bytes: u64,
    /// How many readers are kept open; more are opened and closed as they are needed.
    pub readers: usize,
    /// How many submissions may wait for the writer before new ones are refused.
    pub admission_requests: usize,
    /// How many bytes of submissions may wait for the writer before new ones are refused.
    pub admission_bytes: usize,
    /// What a refused sender is told to wait.
    pub retry_after: Span,
    /// The most requests of one transaction.
    pub batch_requests: usize,
    /// A transaction takes nothing more in once it has this size.
    pub batch_bytes: usize,
    /// The length of the write-ahead log at which it is copied back into the data file.
    pub wal_soft_bytes: u64,
    /// The length of the write-ahead log at which the writer stops to cut it.
    pub wal_hard_bytes: u64,
    /// The data file grows no further than this.
    pub max_bytes: Option<u64>,
}

impl Options {
    /// The defaults, in this folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        const MIB: u64 = 1024 * 1024;
        Self {
            folder: folder.into(),
            writer_cache_bytes: 16 * MIB,
            reader_cache_bytes: 8 * MIB,
            readers: 8,
            admission_requests: 8_192,
            admission_bytes: 128 * 1024 * 1024,
            retry_after: Span::from_secs(1),
            batch_requests: 1_024,
            batch_bytes: 8 * 1024 * 1024,
            wal_soft_bytes: 32 * MIB,
            wal_hard_bytes: 256 * MIB,
            max_bytes: None,
        }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            admission_requests: self.admission_requests,
            admission_bytes: self.admission_bytes,
            retry_after: self.retry_after,
            batch_requests: self.batch_requests,
            batch_bytes: self.batch_bytes,
        }
    }
}

/// The store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or a file in it cannot be used.
    #[error("the data folder {} cannot be used: {source}", path.display())]
    Folder {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error(
        "the data folder {} is in use by another server{}; stop it, or choose another folder",
        path.display(), holder.as_ref().map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, as far as it said.
        holder: Option<String>,
    },
    /// The folder is on a network file system.
    #[error(
        "the data folder {} is on a network file system ({kind}), where a write-ahead log is not \
         safe; choose a folder on a disk of this machine", path.display()
    )]
    Network {
        /// The folder.
        path: PathBuf,
        /// What kind of file system.
        kind: String,
    },
    /// The data file was written by a newer version.
    #[error(
        "the data file has schema version {found}, and this version of jobmill knows {known} at \
         most; use the newer version that wrote it"
    )]
    Newer {
        /// The file's version.
        found: usize,
        /// The newest known version.
        known: usize,
    },
    /// A migration is not what it was when it was applied.
    #[error(
        "the data file was made by another text of migration {name}; use the version of jobmill \
         that wrote it"
    )]
    Changed {
        /// The migration.
        name: &'static str,
    },
    /// The file is a database of something else.
    #[error("the data file is not one of jobmill's; choose another folder")]
    Foreign,
    /// The database does not take a setting that the promise rests on.
    #[error("the data file cannot be used durably: {setting} is {found} where {wanted} is needed")]
    Unsafe {
        /// The setting.
        setting: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// SQLite failed.
    #[error("the data file cannot be opened: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Makes the folder if need be and takes its lock.
pub(super) fn lock(folder: &Path) -> Result<File, OpenError> {
    let failed = |path: &Path, source| OpenError::Folder { path: path.to_owned(), source };
    make_folder(folder).map_err(|source| failed(folder, source))?;
    if let Some(kind) = mount::network(folder) {
        return Err(OpenError::Network { path: folder.to_owned(), kind });
    }
    let path = folder.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = file.map_err(|source| failed(&path, source))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse { path: folder.to_owned(), holder: holder(&mut file) });
        }
        Err(TryLockError::Error(source)) => return Err(failed(&path, source)),
    }
    // The number is for people; a disk too full for it is no reason not to start.
    if file.set_len(0).is_ok() {
        drop(writeln!(file, "{}", std::process::id()));
    }
    Ok(file)
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    fs::metadata(folder).map(drop)
}

fn holder(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned()).filter(|pid| !pid.is_empty())
}

/// Opens the connection that writes, which makes the file if it is not there.
pub(super) fn writer(file: &Path, options: &Options) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.pragma_update(None, "page_size", 4096)?;
    // Of a new file only: it can be cut when much was deleted, see `room`.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    common(&connection, options.writer_cache_bytes)?;
    // Checkpoints are ours: see `checkpoint`. A log that was long once gives its room back.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", options.wal_soft_bytes as i64)?;
    assert_durable(&connection)?;
    set_max_bytes(&connection, options.max_bytes)?;
    Ok(connection)
}

/// Opens the connection of the checkpoint thread.
pub(super) fn checkpointer(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    common(&connection, 0)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Opens a connection that can only read.
pub(super) fn reader(file: &Path, cache_bytes: u64) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    common(&connection, cache_bytes)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Limits the size of the data file; nothing lifts the limit.
pub(super) fn set_max_bytes(
    connection: &Connection,
    max_bytes: Option<u64>,
) -> rusqlite::Result<()> {
    let pages = max_bytes.map_or(u64::from(u32::MAX) - 1, |bytes| (bytes / PAGE_BYTES).max(1));
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
}

/// The size of a page of the data file.
pub(super) const PAGE_BYTES: u64 = 4096;

/// Somebody may look into the file with another program, and even write: we wait this long.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

fn common(connection: &Connection, cache_bytes: u64) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "cache_size", -((cache_bytes / 1024).max(64) as i64))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // A page that a failing disk cannot read would be a signal that kills the process.
    connection.pragma_update(None, "mmap_size", 0)?;
    // Nothing refers by foreign key: rows are keyed by their job and go in batches of their own.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "trusted_schema", false)
}

/// The promise rests on these two, so they are read back: a file system without shared memory
/// keeps SQLite from WAL, and SQLite says so only to those who look.
fn assert_durable(connection: &Connection) -> Result<(), OpenError> {
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Unsafe { setting: "journal_mode", found: mode, wanted: "wal" });
    }
    let level: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if level < 2 {
        let found = level.to_string();
        return Err(OpenError::Unsafe { setting: "synchronous", found, wanted: "2 (FULL)" });
    }
    Ok(())
}
