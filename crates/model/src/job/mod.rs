//! The job: one durable run of a flow with an input.

mod backoff;
mod explain;
mod judge;
mod state;
mod unique;

pub use backoff::{Backoff, BackoffError};
pub use explain::{Children, Explanation, Facts, Line, Place, SILENCE_MILLIS, Workers, explain};
pub use judge::{Counters, Verdict, judge, judge_crash, timed_out};
pub use state::{Move, State};
pub use unique::{Fingerprint, Idempotency, IdempotencyError, Unique};

use crate::id::JobId;
use crate::limits;
use crate::queue::{DEFAULT_QUEUE, Name, Priority};
use crate::time::{Span, Timestamp};
use crate::value::{Json, Value};

/// When a job may first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Start {
    /// At once.
    #[default]
    Now,
    /// So long after its submission.
    After(Span),
    /// At an instant; one in the past means at once.
    At(Timestamp),
}

impl Start {
    /// The instant from which a job submitted at `now` may run.
    #[must_use]
    pub fn run_at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Now => now,
            Self::After(span) => now.after(span),
            Self::At(at) => at.max(now),
        }
    }
}

/// What a submission says of a job besides its input: fixed for the job's life.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The flow that the job runs.
    pub flow: Name,
    /// The queue that it waits in.
    pub queue: Name,
    /// Whose work it is, such as a tenant's: of each key a queue has only so many jobs at work.
    pub key: Option<Name>,
    /// How much it is preferred within the queue.
    pub priority: Priority,
    /// When it may first run.
    pub start: Start,
    /// How many tries of the flow there may be, at least 1.
    pub max_attempts: u32,
    /// How long to wait between tries.
    pub backoff: Backoff,
    /// The time limit of one try.
    pub timeout: Option<Span>,
    /// Names to find it by.
    pub tags: Vec<Name>,
    /// What was odd about the submission, for its sender.
    pub warnings: Vec<String>,
    /// Whether the whole body of the submission was the input, and is echoed beside the job.
    pub bare: bool,
    /// The job that spawned this one.
    pub parent: Option<JobId>,
    /// Whether it begins when all its children have ended.
    pub gathers: bool,
    /// Which other jobs it is not submitted beside.
    pub unique: Option<Unique>,
    /// Who is told when it has ended: a URL.
    pub webhook: Option<String>,
}

impl Spec {
    /// A job of this flow with every option at its default.
    #[must_use]
    pub fn new(flow: Name) -> Self {
        Self {
            flow,
            queue: Name::trusted(DEFAULT_QUEUE),
            key: None,
            priority: Priority::default(),
            start: Start::Now,
            max_attempts: limits::DEFAULT_ATTEMPTS,
            backoff: Backoff::default(),
            timeout: None,
            tags: Vec::new(),
            warnings: Vec::new(),
            bare: false,
            parent: None,
            gathers: false,
            unique: None,
            webhook: None,
        }
    }
}

/// A job as it was asked for, checked, not yet stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// The options.
    pub spec: Spec,
    /// What the flow works on.
    pub input: Value,
    /// How the flow works; an object.
    pub params: Value,
}

/// How far a running job has come, as its flow counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// Units of work done.
    pub done: u64,
    /// Units of work in all; 0 when not known.
    pub total: u64,
    /// What it is doing.
    pub message: String,
}

/// The short form of a job's last failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The fault's code.
    pub code: String,
    /// The fault's message.
    pub message: String,
}

/// A failed attempt, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The run it belongs to, from 1.
    pub run: u32,
    /// The attempt within the run, from 1.
    pub attempt: u32,
    /// The fault's code.
    pub code: String,
    /// The fault's message.
    pub message: String,
    /// Where it happened.
    pub trace: String,
    /// When.
    pub at: Timestamp,
}

/// A job as it stands in the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What its submission said.
    pub spec: Spec,
    /// What the flow works on.
    pub input: Json,
    /// How the flow works.
    pub params: Json,
    /// Where it stands.
    pub state: State,
    /// Tries of the flow begun in this run.
    pub attempt: u32,
    /// Workers lost in this run.
    pub crashes: u32,
    /// Runs begun: 1, and one more for each retry by hand.
    pub run: u32,
    /// How far it has come.
    pub progress: Progress,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it may run, or could first have run.
    pub run_at: Timestamp,
    /// When its first attempt of this run began.
    pub started_at: Option<Timestamp>,
    /// When it reached its final state.
    pub finished_at: Option<Timestamp>,
    /// Its last failure in this run.
    pub error: Option<Failure>,
    /// What a parked machine waits for.
    pub waiting_for: Option<String>,
}
