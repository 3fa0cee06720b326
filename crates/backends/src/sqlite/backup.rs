//! Backup and restore: the data file as it stood at one moment, in one file.
//!
//! A backup reads the data file beside the server that uses it, in one snapshot, and writes a
//! compact copy. The server goes on; its write-ahead log is not begun anew meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::migrate;
use super::open::{self, DATA_FILE, LOCK_FILE, OpenError, PATIENCE};

/// What was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Jobs in it, whatever their state.
    pub jobs: u64,
    /// The size of the copy.
    pub bytes: u64,
}

/// A backup or a restore was not made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("there is no data file {}", .0.display())]
    Missing(PathBuf),
    /// Something is there that a copy would overwrite.
    #[error("{} is there already; choose another name", .0.display())]
    Exists(PathBuf),
    /// The folder is not empty.
    #[error(
        "the folder {} is not empty, and a restore overwrites nothing; choose a new one with \
         --data", .0.display()
    )]
    NotEmpty(PathBuf),
    /// The file does not hold what it should.
    #[error("{} is damaged, and nothing was restored: {text}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        text: String,
    },
    /// The file or the folder cannot be used.
    #[error("{} cannot be used: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not one of this program's, or of a newer one; or the folder is in use.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// SQLite failed.
    #[error("the data cannot be copied: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Copies the data file of a folder, whether a server uses it or not, into a new file that only
/// its owner can read.
///
/// # Errors
/// No data file, a file of that name, a full disk; nothing is left behind then.
pub fn backup(folder: &Path, file: &Path) -> Result<Copied, BackupError> {
    let from = connect(&folder.join(DATA_FILE))?;
    migrate::verify(&from)?;
    copy(&from, file)
}

/// Makes a data folder out of a backup, having looked at all of it.
///
/// # Errors
/// A backup that is damaged, of a newer version or none; a folder that is not empty or in use.
pub fn restore(file: &Path, folder: &Path) -> Result<Copied, BackupError> {
    let from = connect(file)?;
    check(&from, file)?;
    if !is_empty(folder).map_err(|source| failed(folder, source))? {
        return Err(BackupError::NotEmpty(folder.to_owned()));
    }
    let _lock = open::lock(folder)?;
    copy(&from, &folder.join(DATA_FILE))
}

fn failed(path: &Path, source: io::Error) -> BackupError {
    BackupError::File { path: path.to_owned(), source }
}

/// Opens a data file that is there. Not only for reading, since SQLite may have to finish what
/// the log of a killed server holds.
fn connect(file: &Path) -> Result<Connection, BackupError> {
    if !file.is_file() {
        return Err(BackupError::Missing(file.to_owned()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(PATIENCE)?;
    // Copying the log back is the server's affair.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}

/// Looks at all of a backup.
fn check(connection: &Connection, file: &Path) -> Result<(), BackupError> {
    migrate::verify(connection).map_err(|error| match error {
        OpenError::Sqlite(error) => {
            BackupError::Damaged { path: file.to_owned(), text: error.to_string() }
        }
        other => BackupError::Open(other),
    })?;
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match found == "ok" {
        true => Ok(()),
        false => Err(BackupError::Damaged { path: file.to_owned(), text: found }),
    }
}

/// Whether nothing is in a folder but, at most, the lock that an earlier try has left.
fn is_empty(folder: &Path) -> io::Result<bool> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    for entry in entries {
        if entry?.file_name() != LOCK_FILE {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Writes a snapshot into `file`, which has this name only once it is whole and on disk.
fn copy(from: &Connection, file: &Path) -> Result<Copied, BackupError> {
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let copied = write(from, &part).and_then(|copied| {
        fs::rename(&part, file).map_err(|source| failed(file, source))?;
        sync_folder(file)?;
        Ok(copied)
    });
    if copied.is_err() {
        // What cannot be removed is called `.part` and says so.
        drop(fs::remove_file(&part));
    }
    copied
}

fn write(from: &Connection, part: &Path) -> Result<Copied, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let target = options.open(part).map_err(|source| failed(part, source))?;
    // The copy can be cut, whether or not the file can: see `room`.
    from.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    from.execute("VACUUM INTO ?1", [path_text(part)?])?;
    target.sync_all().map_err(|source| failed(part, source))?;
    let bytes = target.metadata().map_err(|source| failed(part, source))?.len();
    let jobs = connect(part)?.query_row(
        "SELECT scheduled + submitted + running + completed + failed + cancelled FROM total",
        [],
        |row| row.get::<_, i64>(0),
    )?;
    Ok(Copied { jobs: u64::try_from(jobs).unwrap_or(0), bytes })
}

fn path_text(path: &Path) -> Result<&str, BackupError> {
    let error = || io::Error::new(io::ErrorKind::InvalidInput, "its path is not UTF-8");
    path.to_str().ok_or_else(|| failed(path, error()))
}

/// A new name is on disk when its folder is.
fn sync_folder(file: &Path) -> Result<(), BackupError> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    #[cfg(unix)]
    File::open(folder).and_then(|it| it.sync_all()).map_err(|source| failed(folder, source))?;
    Ok(())
}
