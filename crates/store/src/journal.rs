//! The committed outcomes of a machine.

use async_trait::async_trait;
use jobmill_model::machine::Entry;
use jobmill_model::{JobId, Token};

use crate::{Deleted, Result};

/// Entries for the end of a job's journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// The job.
    pub id: JobId,
    /// The lease.
    pub token: Token,
    /// The entries; the first has the number of the next free place, the others follow.
    pub entries: Vec<Entry>,
    /// Signals that these entries take out of the inbox, by number.
    pub consumed: Vec<u64>,
}

/// What became of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// They are in the journal.
    Done,
    /// The lease had ended before; nothing is written.
    Stale,
    /// The first entry is not for the next free place, which is this one; nothing is written.
    Gap(u64),
}

/// The verbs of the journal.
#[async_trait]
pub trait Journals: Send + Sync {
    /// Appends entries and takes the consumed signals out of the inbox.
    async fn job_journal(&self, append: Append) -> Result<Appended>;

    /// The entries of the present run from place `from` on, at most `limit`.
    ///
    /// A run that has ended keeps its journal until the next one begins, unless it has more than
    /// [`HISTORY_ENTRIES`] entries or their outcomes have more than [`HISTORY_BYTES`] bytes.
    ///
    /// [`HISTORY_ENTRIES`]: jobmill_model::limits::HISTORY_ENTRIES
    /// [`HISTORY_BYTES`]: jobmill_model::limits::HISTORY_BYTES
    async fn journal_read(&self, id: JobId, from: u64, limit: usize) -> Result<Vec<Entry>>;

    /// Removes the journal of a job that has ended; never answers [`Deleted::Needed`].
    async fn journal_delete(&self, id: JobId) -> Result<Deleted>;
}
