//! How many jobs there are in each state.

use jobmill_model::State;
use jobmill_store::Tally;
use serde::Serialize;
use utoipa::ToSchema;

/// How many jobs there are in each state; kept totals, so asking costs nothing.
#[derive(Serialize, ToSchema)]
pub(crate) struct Counts {
    scheduled: u64,
    submitted: u64,
    running: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    /// All of them.
    total: u64,
}

impl From<&Tally> for Counts {
    fn from(tally: &Tally) -> Self {
        let of = |state: State| tally.0.get(&state).copied().unwrap_or(0);
        Self {
            scheduled: of(State::Scheduled),
            submitted: of(State::Submitted),
            running: of(State::Running),
            completed: of(State::Completed),
            failed: of(State::Failed),
            cancelled: of(State::Cancelled),
            total: tally.0.values().sum(),
        }
    }
}
