//! What SQLite says when it cannot, in the port's words.

use std::io;

use jobmill_store::StoreError;
use rusqlite::ErrorCode;

/// Why a verb did not happen.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The verb was refused before it wrote anything; its neighbours go on.
    Refused(StoreError),
    /// A statement failed, and those before it may have written: what they wrote must go.
    Failed(StoreError),
}

/// What a verb answers inside the store.
pub(super) type Outcome<T> = Result<T, Trouble>;

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(store_error(&error))
    }
}

/// The port's word for an error of SQLite. To be called at once: it may read `errno`.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        // SQLite tells a full disk from other trouble, but not a quota or a limit on the size
        // of files; the failed call's errno still stands, since a call that succeeds keeps it.
        Some(ErrorCode::SystemIoFailure) if no_room(&io::Error::last_os_error()) => {
            StoreError::Full
        }
        _ => StoreError::Broken(error.to_string()),
    }
}

fn no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// An error for what no statement of this store leaves behind.
pub(super) fn broken(what: impl Into<String>) -> Trouble {
    Trouble::Failed(StoreError::Broken(what.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lack_of_room_is_full() {
        for (errno, full) in [(28, true), (27, true), (122, true), (5, false)] {
            assert_eq!(no_room(&io::Error::from_raw_os_error(errno)), full, "{errno}");
        }
    }
}
