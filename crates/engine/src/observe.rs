//! Every event of the engine in one table: what is counted, and what is said in the log.

use std::sync::atomic::{AtomicU64, Ordering};

use jobmill_model::{Fault, JobId, Schedule, State, Timestamp};
use jobmill_store::{Reclaimed, Settled, StoreError};
use tracing::{debug, error, info, warn};

/// What has happened since the start of the process.
#[derive(Default)]
pub(crate) struct Observer {
    submitted: AtomicU64,
    completed: AtomicU64,
    stale: AtomicU64,
}

/// Counts of what has happened since the start of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Jobs accepted.
    pub submitted: u64,
    /// Jobs completed here.
    pub completed: u64,
    /// Ends refused because their lease had ended.
    pub stale: u64,
}

impl Observer {
    pub(crate) fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            submitted: read(&self.submitted),
            completed: read(&self.completed),
            stale: read(&self.stale),
        }
    }

    pub(crate) fn submitted(&self, count: usize) {
        self.submitted.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn settled(&self, id: JobId, outcome: Settled) {
        match outcome {
            Settled::Done(state) => {
                if state == State::Completed {
                    self.completed.fetch_add(1, Ordering::Relaxed);
                }
                debug!(job = %id, %state, "attempt settled");
            }
            Settled::Stale => {
                self.stale.fetch_add(1, Ordering::Relaxed);
                info!(job = %id, "attempt ended after its lease; its outcome is refused");
            }
        }
    }

    pub(crate) fn attempt_failed(&self, id: JobId, attempt: u32, fault: &Fault) {
        let inner = fault.inner.as_deref().unwrap_or_default();
        let Fault { code, message, .. } = fault;
        info!(job = %id, attempt, %code, message, inner, "attempt failed");
    }

    pub(crate) fn cancelled(&self, id: JobId) {
        debug!(job = %id, "job cancelled");
    }

    pub(crate) fn parked(&self, id: JobId, waiting_for: &str) {
        debug!(job = %id, waiting_for, "machine parked");
    }

    pub(crate) fn handed_back(&self, count: usize) {
        info!(count, "jobs handed back");
    }

    pub(crate) fn reclaimed(&self, reclaimed: &Reclaimed) {
        if reclaimed.returned > 0 || !reclaimed.failed.is_empty() {
            let failed = reclaimed.failed.len();
            warn!(returned = reclaimed.returned, failed, "jobs of a lost process taken back");
        }
    }

    pub(crate) fn retired(&self, state: State, count: u64) {
        if count > 0 {
            info!(%state, count, "old jobs deleted");
        }
    }

    pub(crate) fn ticked(&self, schedule: &Schedule, jobs: usize, now: Timestamp) {
        self.submitted(jobs);
        let name = &schedule.name;
        debug!(schedule = %name, jobs, "ticks answered");
        if let Some(misfire) = schedule.misfire.as_ref().filter(|misfire| misfire.at == now) {
            warn!(schedule = %name, tick = %misfire.tick, message = misfire.message,
                "the job of a tick cannot be submitted");
        }
    }

    pub(crate) fn expired(&self, jobs: &[(JobId, State)]) {
        for (job, state) in jobs {
            warn!(job = %job, %state, "lease of a worker outside ended without a word");
        }
    }

    pub(crate) fn store_failed(&self, verb: &'static str, failure: &StoreError) {
        let inner = if let StoreError::Broken(inner) = failure { inner } else { "" };
        error!(verb, %failure, inner, "the store refused a write");
    }
}
