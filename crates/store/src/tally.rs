//! Kept totals: counted as things happen, so that reading them costs nothing.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jobmill_model::State;

use crate::Result;

/// How many jobs there are in each state; every state has an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally(pub BTreeMap<State, u64>);

impl Tally {
    /// How many jobs are in this state.
    #[must_use]
    pub fn of(&self, state: State) -> u64 {
        self.0.get(&state).copied().unwrap_or(0)
    }
}

/// The verbs of the tally.
#[async_trait]
pub trait Tallies: Send + Sync {
    /// The present totals.
    async fn tally_read(&self) -> Result<Tally>;
}
