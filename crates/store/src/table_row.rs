//! Rows of tables: appended, numbered, never changed. What a table is called and what its rows
//! hold is a document; its rows are a set with a name of its own.

use async_trait::async_trait;
use jobmill_model::{Json, Timestamp};

use crate::{DocumentName, Result, Swept};

/// Rows to append to a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowInsert {
    /// The set.
    pub set: String,
    /// Only while this document is there, and is the one that was created then.
    pub guard: (DocumentName, i64),
    /// The rows, in order.
    pub rows: Vec<NewRow>,
    /// When.
    pub at: Timestamp,
}

/// A row to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The sender's id for it: a row with the id of one that is there is passed over.
    pub insert_id: Option<String>,
    /// Rows from before this instant do not count for that.
    pub known_since: Timestamp,
    /// Its content.
    pub content: Json,
}

/// What became of rows to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsInserted {
    /// So many are appended; the others were there.
    Done(u64),
    /// The guarding document is gone; nothing is appended.
    Unguarded,
}

/// A stored row: its number within the set, from 1 without gaps, and its content.
pub type StoredRow = (u64, Json);

/// How much a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowExtent {
    /// How many rows.
    pub rows: u64,
    /// How much text they are.
    pub bytes: u64,
}

/// The verbs of the row.
#[async_trait]
pub trait Rows: Send + Sync {
    /// Appends rows to a set, which begins with its first row. All of them, or, after a crash
    /// before the answer, perhaps none.
    async fn row_insert(&self, insert: RowInsert) -> Result<RowsInserted>;

    /// The rows of a set behind number `after`, in order: at most `limit` of them, and fewer once
    /// their contents come to `bytes`; one at least, if there is one.
    async fn row_list(
        &self,
        set: &str,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>>;

    /// How much a set holds.
    async fn row_extent(&self, set: &str) -> Result<RowExtent>;

    /// Removes up to `limit` rows of a set, the last first; when none is left, the set is gone.
    async fn row_sweep(&self, set: &str, limit: usize) -> Result<Swept>;
}
