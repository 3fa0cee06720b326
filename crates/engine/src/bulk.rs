//! The same for many jobs: cancel, retry or delete whatever matches a filter.
//!
//! Jobs are taken from the newest down, some hundreds in one commit, so that nothing else waits
//! for long. Whoever asks waits for a bounded time; the answer says where to go on.

use jobmill_model::{JobId, Span, State};
use jobmill_store::{Cancelled, Deleted, JobQuery, Retried, StoreError};

use crate::engine::Engine;

/// The most jobs of one commit.
const SLICE: usize = 250;

/// What to do with each job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkVerb {
    /// Stop it.
    Cancel,
    /// Open a new run.
    Retry,
    /// Delete it.
    Delete,
}

/// What to do with which jobs.
#[derive(Debug, Clone, PartialEq)]
pub struct Bulk {
    /// What to do.
    pub verb: BulkVerb,
    /// With which jobs; its limit is not used.
    pub query: JobQuery,
    /// Whether to count only.
    pub dry_run: bool,
    /// For how long to go on.
    pub patience: Span,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BulkDone {
    /// Jobs that matched.
    pub matched: u64,
    /// Jobs to which it was done; those that moved on meanwhile were passed over.
    pub changed: u64,
    /// Where to go on, if the time was over before the end.
    pub next: Option<JobId>,
}

impl BulkVerb {
    /// The states in which it can be done.
    #[must_use]
    pub fn states(self) -> &'static [State] {
        match self {
            Self::Cancel => &[State::Scheduled, State::Submitted, State::Running],
            Self::Retry => &[State::Failed, State::Cancelled],
            Self::Delete => &[State::Completed, State::Failed, State::Cancelled],
        }
    }
}

impl Engine {
    /// Does the same for every job that matches, newest first.
    ///
    /// # Errors
    /// A store that cannot be read or written; what was done until then is done.
    pub async fn bulk(&self, bulk: Bulk) -> Result<BulkDone, StoreError> {
        let Bulk { verb, mut query, dry_run, patience } = bulk;
        let over = self.now().after(patience);
        query.limit = SLICE;
        if query.states.is_empty() {
            query.states = verb.states().to_vec();
        }
        let mut done = BulkDone::default();
        loop {
            let page = self.jobs(&query).await?;
            let ids: Vec<JobId> = page.jobs.iter().map(|job| job.id).collect();
            done.matched += ids.len() as u64;
            if !dry_run && !ids.is_empty() {
                done.changed += self.each(verb, &ids).await?;
            }
            let Some(next) = page.next else { return Ok(done) };
            if self.now() >= over || self.is_draining() {
                return Ok(BulkDone { next: Some(next), ..done });
            }
            query.before = Some(next);
            // Reading may not wait for anything, and others want their turn.
            tokio::task::yield_now().await;
        }
    }

    /// Does it to some jobs in one commit; answers to how many it was done.
    async fn each(&self, verb: BulkVerb, ids: &[JobId]) -> Result<u64, StoreError> {
        let changed = match verb {
            BulkVerb::Cancel => {
                let outcomes = self.cancel(ids).await?;
                outcomes.iter().filter(|it| matches!(it, Cancelled::Done(_))).count()
            }
            BulkVerb::Retry => {
                self.retry(ids).await?.iter().filter(|it| **it == Retried::Done).count()
            }
            BulkVerb::Delete => {
                self.delete(ids).await?.iter().filter(|it| **it == Deleted::Done).count()
            }
        };
        Ok(changed as u64)
    }
}
