//! Leases of workers outside this process: they last until an instant, and heartbeats extend them.
//!
//! Such a lease is a lease like any other: its token fences, and it ends with
//! [`job_settle`](crate::Leases::job_settle), [`job_release`](crate::Leases::job_release) and a
//! cancellation. It belongs to no instance, so
//! [`job_reclaim`](crate::Leases::job_reclaim) leaves it alone: it outlives a server that is
//! started again, and ends when its worker is silent for too long.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::queue::Name;
use jobmill_model::{Job, JobId, Span, State, Timestamp, Token};

use crate::Result;

/// A call for work from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who calls, as it names itself.
    pub worker: Name,
    /// The queue that it takes jobs from.
    pub queue: Name,
    /// The flows that it can perform, and how long a lease of each lasts without a heartbeat.
    pub flows: Arc<BTreeMap<Name, Span>>,
    /// The most jobs that it will take.
    pub max: usize,
    /// The present.
    pub now: Timestamp,
}

/// A job with the lease of a worker outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Lent {
    /// The job, as it stands after the claim.
    pub job: Job,
    /// The lease's fencing token.
    pub token: Token,
    /// When it ends unless it is extended.
    pub expires_at: Timestamp,
}

/// A heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extend {
    /// The job.
    pub id: JobId,
    /// The lease.
    pub token: Token,
    /// How long the lease lasts from now on without another heartbeat; as before if not given.
    pub span: Option<Span>,
    /// The present.
    pub now: Timestamp,
}

/// A worker's hold on a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Who holds it.
    pub worker: Name,
    /// How long it lasts without a heartbeat.
    pub span: Span,
    /// When it ends unless it is extended.
    pub expires_at: Timestamp,
    /// When the attempt has taken as long as it may; the hold ends then at the latest.
    pub deadline: Option<Timestamp>,
}

impl Hold {
    /// A hold that begins at `now`, within the time limit of one attempt.
    #[must_use]
    pub fn new(worker: Name, span: Span, timeout: Option<Span>, now: Timestamp) -> Self {
        let deadline = timeout.map(|limit| now.after(limit));
        Self { worker, span, expires_at: now, deadline }.from(now)
    }

    /// The same hold with its whole span before it.
    #[must_use]
    pub fn from(self, now: Timestamp) -> Self {
        let whole = now.after(self.span);
        Self { expires_at: self.deadline.map_or(whole, |deadline| deadline.min(whole)), ..self }
    }

    /// Whether its end is the end of the attempt, and not the loss of its worker.
    #[must_use]
    pub fn ran_out_of_time(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= self.expires_at)
    }
}

/// The lease of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// The last token given out.
    pub token: Token,
    /// The hold of a worker outside, if one has it.
    pub hold: Option<Hold>,
    /// The job's flow.
    pub flow: Name,
    /// The job's queue.
    pub queue: Name,
    /// The job's attempt.
    pub attempt: u32,
}

/// What was found of workers that fell silent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expired {
    /// The jobs whose leases have ended, and where each stands now: `submitted` if its worker
    /// was lost, `scheduled` if its attempt ran out of time, `failed` if that was once too often.
    pub jobs: Vec<(JobId, State)>,
    /// When the next lease ends, as far as is known now; in the past when more have ended
    /// already.
    pub next: Option<Timestamp>,
}

/// The verbs of leases outside.
#[async_trait]
pub trait Outside: Send + Sync {
    /// Leases ready jobs of one queue to a worker outside, lowest rank first, as many as the
    /// queue lets go.
    ///
    /// After: as after [`job_claim`](crate::Leases::job_claim), but the lease belongs to no
    /// instance and ends when its flow's span is over without a heartbeat, or with the time
    /// limit of the attempt, whichever comes first. No more jobs are leased once inputs and
    /// params come to [`LEASE_BYTES`](jobmill_model::limits::LEASE_BYTES).
    async fn job_lease(&self, call: Call) -> Result<Vec<Lent>>;

    /// Takes heartbeats, each for itself; answers when each lease ends now, or nothing where it
    /// had ended before or is not one of a worker outside.
    ///
    /// After: the lease has its whole span before it again, but never more than the time limit
    /// of its attempt leaves.
    async fn job_extend(&self, beats: Vec<Extend>) -> Result<Vec<Option<Timestamp>>>;

    /// The leases of jobs, where they exist.
    async fn lease_get(&self, ids: &[JobId]) -> Result<Vec<Option<LeaseView>>>;

    /// Ends leases of workers outside whose time is over (`now` or before): at most `limit` at
    /// once, the earliest first, between equal ones the lower id.
    ///
    /// After: where the attempt ran out of time, it is settled as one that failed with
    /// [`timed_out`](jobmill_model::job::timed_out); `chance` moves its backoff. Where not, its
    /// worker is lost: as after [`job_reclaim`](crate::Leases::job_reclaim).
    async fn lease_expire(
        &self,
        now: Timestamp,
        max_crashes: u32,
        chance: f64,
        limit: usize,
    ) -> Result<Expired>;

    /// Gives every lease of a worker outside its whole span again from `now` on: after a start
    /// of the server or a jump of its clock, for which no worker can be blamed.
    ///
    /// Time limits of attempts stay. Answers when the first lease ends.
    async fn lease_renew(&self, now: Timestamp) -> Result<Option<Timestamp>>;
}
