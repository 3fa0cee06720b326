//! Every event of the engine in one table: what is counted, and what is said in the log.

use jobmill_model::queue::Name;
use jobmill_model::{Fault, Job, JobId, Schedule, State, Timestamp};
use jobmill_store::{JobInsert, LeaseView, Reclaimed, Settled, StoreError};
use tracing::{debug, error, info, warn};

use crate::metrics::Metrics;

/// Counts and tells what happens.
#[derive(Default)]
pub(crate) struct Observer {
    pub(crate) metrics: Metrics,
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

/// The attempt that a line of the log is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) job: JobId,
    pub(crate) flow: Name,
    pub(crate) queue: Name,
    pub(crate) attempt: u32,
}

impl Subject {
    pub(crate) fn of_job(job: &Job) -> Self {
        let (flow, queue) = (job.spec.flow.clone(), job.spec.queue.clone());
        Self { job: job.id, flow, queue, attempt: job.attempt }
    }

    pub(crate) fn of_lease(job: JobId, lease: LeaseView) -> Self {
        Self { job, flow: lease.flow, queue: lease.queue, attempt: lease.attempt }
    }
}

impl Observer {
    pub(crate) fn counts(&self) -> Counts {
        let (submitted, completed, stale) = self.metrics.sums();
        Counts { submitted, completed, stale }
    }

    pub(crate) fn settled(&self, of: &Subject, outcome: Settled) {
        let Subject { job, flow, queue, attempt } = of;
        self.metrics.settled(flow, outcome);
        match outcome {
            Settled::Done(state) => debug!(%job, %flow, %queue, attempt, %state, "attempt settled"),
            Settled::Stale => info!(
                %job, %flow, %queue, attempt,
                "attempt ended after its lease; its outcome is refused"
            ),
        }
    }

    pub(crate) fn attempt_failed(&self, of: &Subject, fault: &Fault) {
        let Subject { job, flow, queue, attempt } = of;
        let inner = fault.inner.as_deref().unwrap_or_default();
        let Fault { code, message, .. } = fault;
        // A field called `message` would stand in the place of the line's own text.
        info!(%job, %flow, %queue, attempt, %code, error = message, inner, "attempt failed");
    }

    pub(crate) fn cancelled(&self, job: &Job) {
        let Subject { job, flow, queue, attempt } = Subject::of_job(job);
        debug!(%job, %flow, %queue, attempt, "job cancelled");
    }

    pub(crate) fn parked(&self, of: &Subject, waiting_for: &str) {
        let Subject { job, flow, queue, attempt } = of;
        debug!(%job, %flow, %queue, attempt, waiting_for, "machine parked");
    }

    pub(crate) fn handed_back(&self, count: usize) {
        if count > 0 {
            info!(count, "jobs handed back");
        }
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

    pub(crate) fn ticked(&self, schedule: &Schedule, jobs: &[JobInsert], now: Timestamp) {
        self.metrics.submitted(jobs.iter().map(|job| &job.spec.flow));
        let name = &schedule.name;
        debug!(schedule = %name, jobs = jobs.len(), "ticks answered");
        if let Some(misfire) = schedule.misfire.as_ref().filter(|misfire| misfire.at == now) {
            warn!(schedule = %name, tick = %misfire.tick, error = misfire.message,
                "the job of a tick cannot be submitted");
        }
    }

    /// A lease of a worker outside has ended; the job as it stands now.
    pub(crate) fn expired(&self, job: &Job) {
        let (state, crashes) = (job.state, job.crashes);
        let Subject { job, flow, queue, attempt } = Subject::of_job(job);
        warn!(
            %job, %flow, %queue, attempt, %state, crashes,
            "lease of a worker outside ended without a word"
        );
    }

    pub(crate) fn store_failed(&self, verb: &'static str, failure: &StoreError) {
        let inner = if let StoreError::Broken(inner) = failure { inner } else { "" };
        error!(verb, %failure, inner, "the store refused a write");
    }
}
