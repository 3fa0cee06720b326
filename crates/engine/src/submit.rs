//! Accepts work: checks it against its flow, names it, stores it, hands it over.

use jobmill_model::definition::definition_of;
use jobmill_model::job::{Idempotency, NewJob, Progress, Spec, Start};
use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{Job, JobId, Problem, State, Timestamp};
use jobmill_store::{Inserted, JobInsert, Lodged, Offer, StoreError, Submission};

use crate::engine::Engine;
use crate::perform::{self, Task};
use crate::places::Kind;
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

/// A job as a submission found or made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Submitted {
    /// A new job as it was accepted, or the one that was there as it stands.
    pub job: Job,
    /// Whether a job was there already beside which the new one is not submitted.
    pub known: bool,
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
        jobs: Vec<NewJob>,
        idempotency: Option<Idempotency>,
    ) -> Result<Vec<Job>, SubmitError> {
        let submitted = self.submit_each(jobs, idempotency).await?;
        Ok(submitted.into_iter().map(|submitted| submitted.job).collect())
    }

    /// Accepts a batch: jobs, and one more that begins when all of them have ended. Answers that
    /// one first, whose place in errors is 0.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn submit_batch(
        &self,
        jobs: Vec<NewJob>,
        mut callback: NewJob,
        idempotency: Option<Idempotency>,
    ) -> Result<Vec<Job>, SubmitError> {
        callback.spec.gathers = true;
        let all = std::iter::once(callback).chain(jobs).collect();
        self.submit(all, idempotency).await
    }

    /// As [`submit`](Self::submit), and tells which jobs were there already.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn submit_each(
        &self,
        mut jobs: Vec<NewJob>,
        idempotency: Option<Idempotency>,
    ) -> Result<Vec<Submitted>, SubmitError> {
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
    ) -> Result<Vec<Submitted>, SubmitError> {
        let accepted: Vec<Job> = inserts.iter().map(|insert| accepted(insert, insert.id)).collect();
        let kind = jobs.first().map_or(Kind::Call, |job| self.shared.kind_of(&job.spec.flow));
        let places = match jobs.as_slice() {
            [one] if one.spec.start == Start::Now => self.shared.reserve_places(kind, 1),
            _ => 0,
        };
        let offer = (places > 0).then(|| Offer {
            instance: self.shared.instance,
            flows: self.shared.flows(kind),
            places,
        });
        if jobs.iter().any(|job| job.spec.key.is_some() || job.spec.gathers) {
            // Before they are stored, so that no end goes by unseen.
            self.shared.holds.learn(&QueueRules::default(), true);
        }
        let submission = Submission { jobs: inserts, idempotency, at, offer };
        let inserted = self.shared.store.job_insert(submission).await;
        let was_taken = |lodged: &Lodged| matches!(lodged, Lodged::New(Some(_)));
        if !matches!(&inserted, Ok(Inserted::New(all)) if all.iter().any(was_taken)) {
            self.shared.release_places(kind, places);
        }
        match inserted? {
            Inserted::Replay(ids) => self.replayed(&accepted, &ids).await,
            Inserted::New(lodged) => {
                let metrics = &self.shared.observer.metrics;
                let is_new = |lodged: &Lodged| matches!(lodged, Lodged::New(_));
                let new = accepted.iter().zip(&lodged).filter(|(_, lodged)| is_new(lodged));
                metrics.submitted(new.map(|(job, _)| &job.spec.flow));
                for ((job, new), lodged) in accepted.iter().zip(jobs).zip(&lodged) {
                    match lodged {
                        Lodged::New(Some(token)) => {
                            metrics.handed_over(&job.spec.queue);
                            perform::begin(&self.shared, Task::handed(job, new, *token));
                        }
                        Lodged::New(None) if job.spec.gathers => {}
                        Lodged::New(None) if job.run_at > at => self.shared.bus.due(job.run_at),
                        Lodged::New(None) => self.offer_to_workers(&job.spec),
                        Lodged::Known(_) => {}
                    }
                }
                Ok(self.lodged(accepted, &lodged).await)
            }
        }
    }

    /// What became of each job.
    async fn lodged(&self, accepted: Vec<Job>, lodged: &[Lodged]) -> Vec<Submitted> {
        let known = |lodged: &Lodged| match lodged {
            Lodged::Known(id) => Some(*id),
            Lodged::New(_) => None,
        };
        let ids: Vec<_> = lodged.iter().filter_map(known).collect();
        // What is stored is stored, whether these can be read or not.
        let found = match ids.as_slice() {
            [] => Vec::new(),
            ids => self.shared.store.job_get(ids).await.unwrap_or_default(),
        };
        let mut found = found.into_iter();
        let submitted = |(job, lodged): (Job, &Lodged)| match known(lodged) {
            None => Submitted { job, known: false },
            Some(id) => {
                let gone = || Job { id, created_at: id.made_at(), ..job };
                Submitted { job: found.next().flatten().unwrap_or_else(gone), known: true }
            }
        };
        accepted.into_iter().zip(lodged).map(submitted).collect()
    }

    /// The answer of the first time. The request is the same, so only ids and times differ; a job
    /// that may have been there before is shown as it stands.
    async fn replayed(
        &self,
        accepted_now: &[Job],
        ids: &[JobId],
    ) -> Result<Vec<Submitted>, SubmitError> {
        let unique = |job: &Job| job.spec.unique.is_some();
        let stored = if accepted_now.iter().any(unique) {
            self.shared.store.job_get(ids).await?
        } else {
            vec![None; ids.len()]
        };
        let earlier = |((job, id), stored): ((&Job, &JobId), Option<Job>)| {
            let job = stored.filter(|_| unique(job)).unwrap_or_else(|| replayed(job, *id));
            Submitted { job, known: false }
        };
        Ok(accepted_now.iter().zip(ids).zip(stored).map(earlier).collect())
    }

    /// Wakes whoever may take on a new job.
    fn offer_to_workers(&self, spec: &Spec) {
        if self.shared.performs(&spec.flow) {
            self.shared.bus.ready_here(self.shared.kind_of(&spec.flow));
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
            let mut inserts: Vec<_> = jobs.iter().map(|job| engine.named(job, at)).collect();
            put_below(&mut inserts);
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
        let (input, params) = (job.input.to_json(), job.params.to_json());
        let unique = job.spec.unique.as_ref();
        let mark = unique.map(|unique| unique.mark(&job.spec.flow, &input, &params));
        let id = self.shared.ids.next(at, &*self.shared.chance);
        JobInsert { id, spec: job.spec.clone(), input, params, mark }
    }
}

/// Makes the jobs of a batch children of the one that gathers them.
fn put_below(inserts: &mut [JobInsert]) {
    if let [first, rest @ ..] = inserts
        && first.spec.gathers
    {
        rest.iter_mut().for_each(|insert| insert.spec.parent = Some(first.id));
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
        state: if run_at > created_at || insert.spec.gathers {
            State::Scheduled
        } else {
            State::Submitted
        },
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

/// A job as an earlier submission of the same was answered.
fn replayed(job: &Job, id: JobId) -> Job {
    let Job { spec, input, params, .. } = job.clone();
    accepted(&JobInsert { id, spec, input, params, mark: None }, id)
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
