//! The last changes, in memory.

use std::sync::Arc;

use super::MemoryStore;
use crate::{Events, Feed};

impl Events for MemoryStore {
    fn events(&self) -> Arc<Feed> {
        self.0.lock().feed.clone()
    }
}
