//! Why a job stands where it stands: gathers the facts; the model draws the conclusion.

use jobmill_model::job::{Children, Explanation, Facts, Line, NewJob, Place, Workers, explain};
use jobmill_model::{Job, JobId, Problem, Timestamp};
use jobmill_store::{QueueStanding, Situation, StoreError};

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
    /// Its queue.
    pub queue: QueueStanding,
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
        let now = self.now();
        let queue = self.shared.store.queue_get(&job.spec.queue, now).await?;
        let QueueStanding { paused, rules, leased, refills_at, .. } = queue;
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
            workers: self.workers_of(&job, now),
            key: job.spec.key.clone(),
            line: Line { paused, rules, leased, refills_at },
        };
        let explanation = explain(&facts, now);
        Ok(Some(Outlook { job, place, children, queue, explanation }))
    }

    /// A batch by its id, which is that of the job that ends it, if there is one.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn batch(&self, id: JobId) -> Result<Option<(Job, Children)>, StoreError> {
        let situation = self.shared.store.job_situation(id).await?;
        let batch = situation.filter(|situation| situation.job.spec.gathers);
        Ok(batch.map(|Situation { job, children, .. }| (job, children)))
    }

    /// What is wrong with the parents of new jobs, each with the job's place.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn misplaced(&self, jobs: &[NewJob]) -> Result<Vec<(usize, Problem)>, StoreError> {
        let parents: Vec<_> = jobs.iter().filter_map(|job| job.spec.parent).collect();
        if parents.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = self.shared.store.job_get(&parents).await?.into_iter();
        let mut problems = Vec::new();
        for (index, _) in jobs.iter().enumerate().filter(|(_, job)| job.spec.parent.is_some()) {
            let message = match found.next().flatten() {
                None => "no job has this id".to_owned(),
                Some(parent) if parent.state.is_final() => {
                    format!("the job is {} and takes no more children", parent.state)
                }
                Some(_) => continue,
            };
            problems.push((index, Problem::new("/parent", message)));
        }
        Ok(problems)
    }

    fn workers_of(&self, job: &Job, now: Timestamp) -> Workers {
        let flow = &job.spec.flow;
        match self.registry().card(flow) {
            None if self.declaration(flow).is_some() => {
                let last = self.shared.catalog.last_call(flow);
                Workers::Outside { last_call: last.map(|at| now.since(at)) }
            }
            None if self.shared.performs(flow) => Workers::Free,
            None => Workers::Nobody,
            Some(_) if self.shared.places.are_all_held(self.shared.kind_of(flow)) => Workers::Busy,
            Some(_) => Workers::Free,
        }
    }
}
