//! The right to perform a job: claim, progress, park, settle, release, reclaim.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::job::{Progress, Verdict};
use jobmill_model::output::Chunk;
use jobmill_model::queue::Name;
use jobmill_model::{InstanceId, Job, JobId, State, Timestamp, Token};

use crate::Result;

/// A worker's call for work.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The process that will perform the jobs.
    pub instance: InstanceId,
    /// The flows that it can perform.
    pub flows: Arc<BTreeSet<Name>>,
    /// The most jobs that it will take.
    pub max: usize,
    /// The present.
    pub now: Timestamp,
}

/// A job with the lease on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claimed {
    /// The job, as it stands after the claim.
    pub job: Job,
    /// The lease's fencing token.
    pub token: Token,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq)]
pub struct ProgressNote {
    /// The job.
    pub id: JobId,
    /// The lease.
    pub token: Token,
    /// How far.
    pub progress: Progress,
}

/// A machine's wish to wait without a worker.
#[derive(Debug, Clone, PartialEq)]
pub struct Park {
    /// The job.
    pub id: JobId,
    /// The lease.
    pub token: Token,
    /// When to wake it at the latest.
    pub wake_at: Option<Timestamp>,
    /// The number of the last signal that the worker has seen; 0 for none.
    pub seen: u64,
    /// What it waits for, for people.
    pub waiting_for: String,
    /// The present.
    pub now: Timestamp,
}

/// What became of a wish to park.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// It is parked; the lease has ended.
    Done,
    /// A newer signal is there; the lease goes on.
    Awake,
    /// The lease had ended before.
    Stale,
}

/// The end of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Settle {
    /// The job.
    pub id: JobId,
    /// The lease.
    pub token: Token,
    /// What becomes of it.
    pub verdict: Verdict,
    /// The chunks of its result that were not appended before; for [`Verdict::Complete`] only.
    pub chunks: Vec<Chunk>,
    /// How far it came at last, if that was not noted before.
    pub progress: Option<Progress>,
    /// The present.
    pub now: Timestamp,
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is recorded, and the job is in this state.
    Done(State),
    /// The lease had ended before; nothing is recorded.
    Stale,
}

/// What came due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Promoted {
    /// Jobs that became claimable.
    pub count: usize,
    /// When the next one will, as far as is known now; in the past when more are due already.
    pub next: Option<Timestamp>,
}

/// What was found of processes that ended without a word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reclaimed {
    /// Jobs that are claimable again.
    pub returned: usize,
    /// Jobs that had lost too many workers and failed.
    pub failed: Vec<JobId>,
}

/// The verbs of the lease.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Leases ready jobs of these flows, lowest rank first, over all queues, as many of each as
    /// the queue lets go: none while it is paused, no more than its concurrency limit leaves
    /// room for, no more than its rate limit has free at `now`.
    ///
    /// It costs the same whatever waits behind a pause, a limit or a key.
    ///
    /// After: each is `running` with a token one higher than any before, `started_at` set if
    /// this is the first claim of its run; `attempt` is one higher if the attempt before was
    /// settled (or there was none), and the same if it was parked, released or reclaimed;
    /// `waiting_for` is empty. Between equal ranks the lower id goes first.
    async fn job_claim(&self, claim: Claim) -> Result<Vec<Claimed>>;

    /// Records progress, its message cut to
    /// [`MESSAGE_BYTES`](jobmill_model::limits::MESSAGE_BYTES); answers whether each lease still
    /// holds.
    async fn job_progress(&self, notes: &[ProgressNote]) -> Result<Vec<bool>>;

    /// Ends a lease in the middle of the work, to wait for a time or a signal.
    ///
    /// After [`Parked::Done`]: `running`, unleased, `waiting_for` filled; it becomes claimable
    /// at `wake_at` ([`job_promote`](Self::job_promote)) or with the next signal, at its old
    /// rank. Compares `seen` with the numbers in the inbox in the same step, so that no signal
    /// is missed.
    async fn job_park(&self, park: Park) -> Result<Parked>;

    /// Ends attempts, each for itself.
    ///
    /// After [`Settled::Done`]: the verdict is recorded. Complete: the chunks under this token
    /// are the published result, `error` is empty. Retry: `scheduled` until the verdict's time,
    /// even one in the past; the failed attempt kept, its chunks unpublished, its journal and
    /// inbox kept for the next. Fail: the failed attempt kept. Cancel: as a cancellation, with
    /// no failed attempt. The journal and the inbox of an ended run are gone. A stale settlement
    /// changes nothing. A fault's texts are kept as
    /// [`Fault::trimmed`](jobmill_model::Fault::trimmed) cuts them.
    async fn job_settle(&self, settles: Vec<Settle>) -> Result<Vec<Settled>>;

    /// Hands leased jobs back unfinished; answers whether each lease still held.
    ///
    /// After: `submitted`, claimable at its old rank, attempt and crashes as they were, journal
    /// and inbox kept.
    async fn job_release(&self, leases: &[(JobId, Token)]) -> Result<Vec<bool>>;

    /// Makes jobs whose time has come (`now` or before) claimable: scheduled ones become
    /// `submitted`, parked ones stay `running`. At most `limit` at once, the earliest first.
    async fn job_promote(&self, now: Timestamp, limit: usize) -> Result<Promoted>;

    /// Ends the leases of every other instance, all of which the caller knows to be dead.
    ///
    /// After: each job counts one crash more. It is `submitted` and claimable at its old rank,
    /// journal and inbox kept; or, past `max_crashes`, `failed` with `WorkerLost` and that
    /// failed attempt kept. Parked jobs have no lease to lose.
    async fn job_reclaim(
        &self,
        alive: InstanceId,
        max_crashes: u32,
        now: Timestamp,
    ) -> Result<Reclaimed>;
}
