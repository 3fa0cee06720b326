//! The inbox, in memory.

use async_trait::async_trait;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json, State};

use super::{MemoryStore, Place};
use crate::{Result, Signal, Signalled, Signals};

#[async_trait]
impl Signals for MemoryStore {
    async fn job_signal(&self, id: JobId, name: &Name, payload: &Json) -> Result<Signalled> {
        let mut data = self.0.lock();
        let Some(row) = data.rows.get_mut(&id) else { return Ok(Signalled::Unknown) };
        if row.job.state.is_final() {
            return Ok(Signalled::Ended(row.job.state));
        }
        row.last_signal += 1;
        let number = row.last_signal;
        let signal = Signal { number, name: name.clone(), payload: payload.clone() };
        row.inbox.insert(number, signal);
        // A scheduled job waits as well, but for its time only.
        if row.job.state == State::Running && matches!(row.place, Place::Waiting(_)) {
            data.enter(id);
        }
        Ok(Signalled::Done(number))
    }

    async fn signal_read(&self, id: JobId, after: u64, limit: usize) -> Result<Vec<Signal>> {
        let data = self.0.lock();
        let newer = data.rows.get(&id).into_iter().flat_map(|row| row.inbox.values());
        let newer = newer.filter(|signal| signal.number > after);
        Ok(newer.take(limit).cloned().collect())
    }
}
