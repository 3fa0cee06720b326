//! Accepts work: checks it against its flow, names it, stores it, hands it over.

use jobmill_model::definition::definition_of;
use jobmill_model::job::{Idempotency, NewJob, Progress, Spec, Start};
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{Job, JobId, Problem, State, Timestamp};
use jobmill_store::{Inserted, JobInsert, Offer, StoreError, Submission};

use crate::engine::Engine;
use crate::perform::{self, Task};
use crate::unhurried::Unhurried;

/// Inputs of together at most this size are checked and written as text where they are.
const LIGHT_BYTES: usize = 64 * 1024;

/// Why a submission was not accepted. Nothing of it is stored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SubmitError {
    /// No flow has this name.
    #[error("unknown flow {flow:?}")]
    UnknownFlow {
        /// The place of the job in the submission, from 0.
        index: usize,
        /// The name.
        flow: String,
        /// A known name that is near.
        near: Option<String>,
    },
    /// An input or params do not fit their flow. Each with the job's place in the submission.
    #[error("the input does not fit the flow")]
    Invalid(Vec<(usize, Problem)>),
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Draining,
    /// The store refused it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Engine {
    /// Accepts jobs, all or none; when it answers `Ok` they are on disk.
    ///
    /// The answer shows each job as it was accepted. With an idempotency key that was used
    /// before for the same request it shows the earlier jobs, as they were accepted then.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn submit(
        &self,
        mut jobs: Vec<NewJob>,
        idempotency: Option<Idempotency>,
    ) -> Result<Vec<Job>, SubmitError> {
        if self.is_draining() {
            return Err(SubmitError::Draining);
        }
        self.pin_revisions(&mut jobs).await?;
        let at = self.now();
        let (jobs, inserts) = self.prepare(jobs, at).await?;
        let engine = self.clone();
        Unhurried::new(async move { engine.accept(jobs, inserts, idempotency, at).await }).await
    }

    /// Stores what was checked and begins what was handed over.
    async fn accept(
        &self,
        jobs: Vec<NewJob>,
        inserts: Vec<JobInsert>,
        idempotency: Option<Idempotency>,
        at: Timestamp,
    ) -> Result<Vec<Job>, SubmitError> {
        let accepted: Vec<Job> = inserts.iter().map(|insert| accepted(insert, insert.id)).collect();
        let places = match jobs.as_slice() {
            [one] if one.spec.start == Start::Now => self.shared.reserve_places(1),
            _ => 0,
        };
        let offer = (places > 0).then(|| Offer {
            instance: self.shared.instance,
            flows: self.shared.flows(),
            places,
        });
        if jobs.iter().any(|job| job.spec.key.is_some()) {
            // Before they are stored, so that no end goes by unseen.
            self.shared.holds.learn(&QueueRules::default(), true);
        }
        let submission = Submission { jobs: inserts, idempotency, at, offer };
        let inserted = self.shared.store.job_insert(submission).await;
        if !matches!(&inserted, Ok(Inserted::New(leases)) if leases.iter().any(Option::is_some)) {
            self.shared.release_places(places);
        }
        match inserted? {
            Inserted::Replay(ids) => Ok(replayed(&accepted, &ids)),
            Inserted::New(leases) => {
                self.shared.observer.submitted(accepted.len());
                for ((job, new), lease) in accepted.iter().zip(jobs).zip(leases) {
                    match lease {
                        Some(token) => perform::begin(&self.shared, Task::handed(job, new, token)),
                        None if job.run_at > at => self.shared.bus.due(job.run_at),
                        None => self.offer_to_workers(&job.spec),
                    }
                }
                Ok(accepted)
            }
        }
    }

    /// Wakes whoever may take on a new job.
    fn offer_to_workers(&self, spec: &Spec) {
        if self.shared.flows().contains(&spec.flow) {
            self.shared.bus.ready_here();
        }
        self.shared.bus.callers.wake_one(&spec.queue, &spec.flow);
    }

    /// Checks and names the jobs; off the async threads if that takes a while.
    async fn prepare(
        &self,
        jobs: Vec<NewJob>,
        at: Timestamp,
    ) -> Result<(Vec<NewJob>, Vec<JobInsert>), SubmitError> {
        let bytes: usize = jobs.iter().map(|job| job.input.size_bytes()).sum();
        let engine = self.clone();
        let prepare = move || {
            engine.check(&jobs)?;
            let inserts = jobs.iter().map(|job| engine.named(job, at)).collect();
            Ok((jobs, inserts))
        };
        if bytes <= LIGHT_BYTES {
            return prepare();
        }
        tokio::task::spawn_blocking(prepare)
            .await
            .unwrap_or_else(|error| Err(SubmitError::Store(StoreError::Broken(error.to_string()))))
    }

    pub(crate) fn check(&self, jobs: &[NewJob]) -> Result<(), SubmitError> {
        let mut problems = Vec::new();
        for (index, job) in jobs.iter().enumerate() {
            let flow = &job.spec.flow;
            if !self.knows_flow(flow) && !self.runs_definition(flow) {
                let near = self.near_flow(flow.as_str());
                return Err(SubmitError::UnknownFlow { index, flow: flow.to_string(), near });
            }
            let found = self.check_input(flow, &job.input, &job.params);
            problems.extend(found.into_iter().map(|problem| (index, problem)));
        }
        if problems.is_empty() { Ok(()) } else { Err(SubmitError::Invalid(problems)) }
    }

    /// Whether this is the flow of a definition; that it exists was seen before.
    fn runs_definition(&self, flow: &Name) -> bool {
        self.shared.registry.workflows().is_some() && definition_of(flow).is_some()
    }

    fn named(&self, job: &NewJob, at: Timestamp) -> JobInsert {
        JobInsert {
            id: self.shared.ids.next(at, &*self.shared.chance),
            spec: job.spec.clone(),
            input: job.input.to_json(),
            params: job.params.to_json(),
        }
    }
}

/// The job as it stands at the moment of its acceptance, whether handed over or not.
fn accepted(insert: &JobInsert, id: JobId) -> Job {
    let created_at = id.made_at();
    let run_at = insert.spec.start.run_at(created_at);
    Job {
        id,
        spec: insert.spec.clone(),
        input: insert.input.clone(),
        params: insert.params.clone(),
        state: if run_at > created_at { State::Scheduled } else { State::Submitted },
        attempt: 0,
        crashes: 0,
        run: 1,
        progress: Progress::default(),
        created_at,
        run_at,
        started_at: None,
        finished_at: None,
        error: None,
        waiting_for: None,
    }
}

/// The answer of the first time: the request is the same, so only ids and times differ.
fn replayed(accepted_now: &[Job], ids: &[JobId]) -> Vec<Job> {
    let earlier = |job: &Job, id: &JobId| {
        let insert = JobInsert {
            id: *id,
            spec: job.spec.clone(),
            input: job.input.clone(),
            params: job.params.clone(),
        };
        accepted(&insert, *id)
    };
    accepted_now.iter().zip(ids).map(|(job, id)| earlier(job, id)).collect()
}

impl Task {
    fn handed(job: &Job, new: NewJob, token: jobmill_model::Token) -> Self {
        Self {
            id: job.id,
            token,
            spec: new.spec,
            input: perform::Content::Read(new.input),
            params: perform::Content::Read(new.params),
            attempt: 1,
            run: 1,
            started_at: job.created_at,
        }
    }
}
