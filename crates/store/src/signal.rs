//! What was sent to a running machine, until it takes it in.

use async_trait::async_trait;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json, State};

use crate::Result;

/// A signal in a job's inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Its number, from 1, growing over the job's whole life; none is used twice.
    pub number: u64,
    /// Its name.
    pub name: Name,
    /// Its content.
    pub payload: Json,
}

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signalled {
    /// It is in the inbox under this number; a parked job is claimable.
    Done(u64),
    /// The job has ended.
    Ended(State),
    /// No such job.
    Unknown,
}

/// The verbs of the signal.
#[async_trait]
pub trait Signals: Send + Sync {
    /// Puts a signal into a job's inbox; a parked job becomes claimable in the same step, a
    /// scheduled or submitted one stays as it is.
    async fn job_signal(&self, id: JobId, name: &Name, payload: &Json) -> Result<Signalled>;

    /// The signals in a job's inbox after number `after`, in order, at most `limit`.
    async fn signal_read(&self, id: JobId, after: u64, limit: usize) -> Result<Vec<Signal>>;
}
