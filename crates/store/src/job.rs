//! A job from its submission on: insert, get, list, cancel, retry.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::job::{Children, Fingerprint, Idempotency, Place, Spec};
use jobmill_model::queue::Name;
use jobmill_model::{InstanceId, Job, JobId, Json, State, Timestamp, Token};

use crate::Result;

/// A new job, checked and named.
#[derive(Debug, Clone, PartialEq)]
pub struct JobInsert {
    /// Its id, made at the submission's `at`.
    pub id: JobId,
    /// Its options.
    pub spec: Spec,
    /// Its input.
    pub input: Json,
    /// Its params.
    pub params: Json,
    /// Jobs with the same mark are the same, if it is to be the only one.
    pub mark: Option<Fingerprint>,
}

/// Jobs that are accepted together or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The jobs, in order.
    pub jobs: Vec<JobInsert>,
    /// The sender's name for this submission, if it gave one.
    pub idempotency: Option<Idempotency>,
    /// When it came.
    pub at: Timestamp,
    /// A local worker that would take a job at once.
    pub offer: Option<Offer>,
}

/// A local worker's reserved places, for hand-over.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The process that will perform the jobs.
    pub instance: InstanceId,
    /// The flows that it can perform.
    pub flows: Arc<BTreeSet<Name>>,
    /// How many jobs it will take.
    pub places: usize,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq)]
pub enum Inserted {
    /// What became of each job.
    New(Vec<Lodged>),
    /// The same submission was accepted before, with these ids; nothing was stored.
    Replay(Vec<JobId>),
}

/// What became of one job of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lodged {
    /// It is stored. The token of the lease that was handed over with it, if one was.
    New(Option<Token>),
    /// It is not stored: this job with the same mark is there.
    Known(JobId),
}

/// Which jobs to list. Every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobQuery {
    /// Only jobs in one of these states; empty for all.
    pub states: Vec<State>,
    /// Only jobs of this flow.
    pub flow: Option<Name>,
    /// Only jobs of this queue.
    pub queue: Option<Name>,
    /// Only jobs with this tag.
    pub tag: Option<Name>,
    /// Only children of this job.
    pub parent: Option<JobId>,
    /// Only jobs submitted at or after this instant.
    pub since: Option<Timestamp>,
    /// Only jobs submitted before this instant.
    pub until: Option<Timestamp>,
    /// Only jobs that have not ended, or ended at or after this instant.
    pub active_since: Option<Timestamp>,
    /// Only jobs older than this one: the `next` of the page before.
    pub before: Option<JobId>,
    /// The most rows to answer.
    pub limit: usize,
}

/// A page of jobs, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPage {
    /// The jobs. Fewer than asked for when their inputs come to
    /// [`PAGE_BYTES`](jobmill_model::limits::PAGE_BYTES), or when the store has looked at as
    /// many rows as one page may cost; `next` tells whether there may be more.
    pub jobs: Vec<Job>,
    /// Where the next page begins, if there may be one.
    pub next: Option<JobId>,
}

/// What there is to know of a job that explains why it stands where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Situation {
    /// The job.
    pub job: Job,
    /// Where it stands towards the workers. Jobs that go before it are those of its flow in
    /// its queue, and are counted up to [`SITUATION_ROWS`](jobmill_model::limits::SITUATION_ROWS).
    pub place: Place,
    /// Its children, counted as far.
    pub children: Children,
}

/// What became of a request to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It is cancelled now; this is where it stood.
    Done(State),
    /// It had ended before.
    Ended(State),
    /// No such job.
    Unknown,
}

/// What became of a request for a new run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// A new run is open; the job is `submitted`.
    Done,
    /// The job is in this state, from which no new run can be opened.
    Refused(State),
    /// This other job with the same mark is unfinished.
    Taken(JobId),
    /// No such job.
    Unknown,
}

/// What became of a request to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Done,
    /// The job is in this state, and only one that has ended can be deleted.
    Refused(State),
    /// Its parent has not ended and may still read its result.
    Needed,
    /// No such job.
    Unknown,
}

/// How much a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Rows removed.
    pub rows: usize,
    /// Whether more may be left.
    pub more: bool,
}

/// The verbs of the job.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// Stores the submission's jobs.
    ///
    /// Before: no job has one of the ids. After: each is `scheduled` until its start, or
    /// `submitted` and ready, or held by its key. A job is handed over (leased to the offer's
    /// instance, as by [`job_claim`](crate::Leases::job_claim)) if the offer knows its flow, has
    /// a place left, no other job that was there before is ready in its queue, and its queue and
    /// its key let it go. A job with a mark is not stored while another job with that mark, also
    /// one of the same submission, is unfinished, or had been submitted less than its
    /// [`span`](jobmill_model::job::Unique::span) before.
    ///
    /// A job that [gathers](Spec::gathers) is `scheduled` without a time. When a child of it ends
    /// and none is unfinished then, the same step makes it `submitted`, from that moment on.
    ///
    /// With an idempotency key that is known for the same body: nothing is stored and the earlier
    /// ids come back. The key is known from then until
    /// [`idempotency_sweep`](Self::idempotency_sweep) removes it: kept until `keep_until` and as
    /// long as a job that it stands for is unfinished.
    ///
    /// # Errors
    /// [`KeyReused`](crate::StoreError::KeyReused); [`Busy`](crate::StoreError::Busy) when too
    /// many submissions wait; only they and deployments are shed.
    async fn job_insert(&self, submission: Submission) -> Result<Inserted>;

    /// The jobs with these ids, where they exist.
    async fn job_get(&self, ids: &[JobId]) -> Result<Vec<Option<Job>>>;

    /// A job with what explains why it stands where it stands, if it exists.
    async fn job_situation(&self, id: JobId) -> Result<Option<Situation>>;

    /// A page of jobs, newest first.
    async fn job_list(&self, query: &JobQuery) -> Result<JobPage>;

    /// Cancels jobs and, with each, its unfinished children and theirs.
    ///
    /// After: those that had not ended are `cancelled`, their tokens raised by one, so that a
    /// worker which holds a lease can neither journal nor settle; their inboxes are
    /// empty, the last failure stays in `error`. An id that comes twice has ended the second
    /// time. Below a job that had ended, nothing is cancelled.
    async fn job_cancel(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Cancelled>>;

    /// Opens a new run of failed or cancelled jobs.
    ///
    /// After: `submitted` and claimable from `now`; run one higher; attempt, crashes, progress,
    /// error, times, journal, inbox and unpublished output (at once or with the next sweep)
    /// cleared; ranked by `now`. Failed attempts stay. A job with a mark stays as it is while
    /// another one with that mark is unfinished.
    async fn job_retry(&self, ids: &[JobId], now: Timestamp) -> Result<Vec<Retried>>;

    /// Deletes jobs that have ended, with all that belongs to them: input, tags, journal, failed
    /// attempts, result.
    ///
    /// After: no verb finds them, lists and totals are without them, and so are the entries of
    /// published results, of which the others keep their numbers. The chunks of a large result
    /// may stay until the next sweeps of the output, so that no step takes long. Children stay,
    /// and so does an idempotency key, which goes on to answer the ids that it was given.
    async fn job_delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>>;

    /// Removes at most `limit` idempotency keys whose `keep_until` is `now` or before and whose
    /// jobs have all ended.
    async fn idempotency_sweep(&self, now: Timestamp, limit: usize) -> Result<Swept>;
}
