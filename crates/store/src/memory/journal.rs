//! The journal, in memory.

use async_trait::async_trait;
use jobmill_model::JobId;
use jobmill_model::machine::Entry;

use super::MemoryStore;
use crate::{Append, Appended, Deleted, Journals, Result};

#[async_trait]
impl Journals for MemoryStore {
    async fn job_journal(&self, append: Append) -> Result<Appended> {
        let mut data = self.0.lock();
        let Some(row) = data.leased(append.id, append.token) else { return Ok(Appended::Stale) };
        let next = row.journal.len() as u64;
        if append.entries.first().is_some_and(|entry| entry.seq != next) {
            return Ok(Appended::Gap(next));
        }
        row.journal.extend(append.entries);
        row.inbox.retain(|number, _| !append.consumed.contains(number));
        Ok(Appended::Done)
    }

    async fn journal_read(&self, id: JobId, from: u64, limit: usize) -> Result<Vec<Entry>> {
        let data = self.0.lock();
        let entries = data.rows.get(&id).into_iter().flat_map(|row| &row.journal);
        Ok(entries.filter(|entry| entry.seq >= from).take(limit).cloned().collect())
    }

    async fn journal_delete(&self, id: JobId) -> Result<Deleted> {
        let mut data = self.0.lock();
        let Some(row) = data.rows.get_mut(&id) else { return Ok(Deleted::Unknown) };
        if !row.job.state.is_final() {
            return Ok(Deleted::Refused(row.job.state));
        }
        row.journal.clear();
        Ok(Deleted::Done)
    }
}
