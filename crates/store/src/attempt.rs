//! Failed attempts, kept for whoever wants to know why.

use async_trait::async_trait;
use jobmill_model::job::FailedAttempt;
use jobmill_model::{JobId, Timestamp};

use crate::Result;

/// Which failed attempts of a job to list. Every condition that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptQuery {
    /// The job.
    pub id: JobId,
    /// Only those with this code.
    pub code: Option<String>,
    /// Only those at or after this instant.
    pub since: Option<Timestamp>,
    /// Only those before this instant.
    pub until: Option<Timestamp>,
    /// How many to pass over.
    pub skip: usize,
    /// The most to answer.
    pub limit: usize,
}

/// The verbs of the attempt.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// Failed attempts of a job, oldest first; none for an unknown job.
    async fn attempt_list(&self, query: &AttemptQuery) -> Result<Vec<FailedAttempt>>;
}
