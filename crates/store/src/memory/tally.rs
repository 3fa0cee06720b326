//! Kept totals, in memory.

use async_trait::async_trait;
use jobmill_model::State;

use super::MemoryStore;
use crate::{Result, Tallies, Tally};

#[async_trait]
impl Tallies for MemoryStore {
    async fn tally_read(&self) -> Result<Tally> {
        let data = self.0.lock();
        let count = |state| data.tally.0.get(&state).copied().unwrap_or(0);
        Ok(Tally(State::ALL.into_iter().map(|state| (state, count(state))).collect()))
    }
}

impl Tally {
    pub(super) fn enter(&mut self, state: State) {
        *self.0.entry(state).or_default() += 1;
    }

    pub(super) fn leave(&mut self, state: State) {
        *self.0.get_mut(&state).expect("a job that leaves a state was counted there") -= 1;
    }
}
