//! The last changes: what each transaction has changed, told when it is on disk.

use std::sync::Arc;

use jobmill_model::JobId;
use jobmill_store::{Change, Events, Feed};

use super::SqliteStore;
use super::txn::Txn;

impl Events for SqliteStore {
    fn events(&self) -> Arc<Feed> {
        Arc::clone(&self.feed)
    }
}

impl Txn<'_> {
    /// Notes a change, to be told after the commit.
    pub(super) fn note(&mut self, id: JobId, change: Change) {
        self.changes.push((id, change));
    }
}
