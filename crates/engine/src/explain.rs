//! Why a job stands where it stands: gathers the facts; the model draws the conclusion.

use jobmill_model::job::{Children, Explanation, Facts, Place, Workers, explain};
use jobmill_model::{Job, JobId};
use jobmill_store::{Situation, StoreError};

use crate::engine::Engine;

/// A job and why it stands where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// The job.
    pub job: Job,
    /// Where it stands towards the workers.
    pub place: Place,
    /// Its children.
    pub children: Children,
    /// Why.
    pub explanation: Explanation,
}

impl Engine {
    /// Why a job is not running, or not done, if it exists.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn explain(&self, id: JobId) -> Result<Option<Outlook>, StoreError> {
        let Some(situation) = self.shared.store.job_situation(id).await? else { return Ok(None) };
        let Situation { job, place, children } = situation;
        let facts = Facts {
            state: job.state,
            place,
            flow: job.spec.flow.clone(),
            queue: job.spec.queue.clone(),
            attempt: job.attempt,
            max_attempts: job.spec.max_attempts,
            run_at: job.run_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            waiting_for: job.waiting_for.clone(),
            error: job.error.clone(),
            children,
            workers: self.workers_of(&job),
            held: None,
        };
        let explanation = explain(&facts, self.now());
        Ok(Some(Outlook { job, place, children, explanation }))
    }

    fn workers_of(&self, job: &Job) -> Workers {
        match self.registry().card(&job.spec.flow) {
            None => Workers::Nobody,
            Some(_) if self.shared.places.are_all_taken() => Workers::Busy,
            Some(_) => Workers::Free,
        }
    }
}
