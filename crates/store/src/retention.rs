//! Which of the jobs that have ended are the oldest.

use async_trait::async_trait;
use jobmill_model::{JobId, State, Timestamp};

use crate::Result;

/// Jobs that have ended, to be looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldestQuery {
    /// How they ended.
    pub state: State,
    /// Only those that ended before this instant, and were submitted before it.
    pub before: Timestamp,
    /// Only those submitted after this one.
    pub after: Option<JobId>,
    /// How many at most.
    pub limit: usize,
}

/// Some of the oldest jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OldestPage {
    /// The jobs, that which was submitted first coming first.
    pub ids: Vec<JobId>,
    /// Where to go on; nothing if there are no more.
    pub next: Option<JobId>,
}

/// The verb of retention; what it finds is removed by
/// [`job_delete`](crate::Jobs::job_delete).
#[async_trait]
pub trait Retention: Send + Sync {
    /// Ended jobs, the first submitted first. The page may be short, or empty, while there are
    /// more: then `next` is set.
    async fn job_oldest(&self, query: &OldestQuery) -> Result<OldestPage>;
}
