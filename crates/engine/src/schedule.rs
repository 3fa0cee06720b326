//! What the doors may ask of schedules.

use jobmill_model::job::{Idempotency, NewJob};
use jobmill_model::queue::Name;
use jobmill_model::schedule::{Rules, Schedule, Template};
use jobmill_model::{Job, Problem, Timestamp};
use jobmill_store::{ScheduleWrite, StoreError, Written};

use crate::engine::Engine;
use crate::submit::SubmitError;
use crate::unhurried::Unhurried;

/// How often a change is tried again because somebody else was faster.
const TRIES: usize = 20;

/// What became of a schedule that was put.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    /// It is new.
    Created(Schedule),
    /// It stands in the place of one that was there.
    Replaced(Schedule),
}

/// Why a schedule was not stored.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// There is one of this name, and the request was for a new one.
    #[error("a schedule of this name is there already")]
    Exists,
    /// There are as many schedules as there may be.
    #[error("there are as many schedules as there may be")]
    TooMany,
    /// Its job cannot be submitted, or the store refused.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<StoreError> for ScheduleError {
    fn from(error: StoreError) -> Self {
        Self::Submit(error.into())
    }
}

impl Engine {
    /// Stores a schedule; with `new`, only if there is none of that name.
    ///
    /// # Errors
    /// See [`ScheduleError`].
    pub async fn schedule_put(
        &self,
        name: Name,
        rules: Rules,
        paused: bool,
        new: bool,
    ) -> Result<Put, ScheduleError> {
        self.misfit(&rules.job)?;
        let change = |stored: Option<&Schedule>, now| match stored {
            Some(_) if new => Err(ScheduleError::Exists),
            Some(stored) => Ok(Some(stored.replaced(rules.clone(), paused, now))),
            None => Ok(Some(Schedule::new(name.clone(), rules.clone(), paused, now))),
        };
        match self.change(&name, change).await? {
            Some(schedule) if schedule.revision == 1 => Ok(Put::Created(schedule)),
            Some(schedule) => Ok(Put::Replaced(schedule)),
            None => Err(StoreError::Broken("a schedule that was put is gone".to_owned()).into()),
        }
    }

    /// The schedule of a name.
    ///
    /// # Errors
    /// As every read: a store that cannot be read.
    pub async fn schedule(&self, name: &Name) -> Result<Option<Schedule>, StoreError> {
        self.shared.store.schedule_get(name).await
    }

    /// Schedules by name, those after a name.
    ///
    /// # Errors
    /// See [`schedule`](Self::schedule).
    pub async fn schedules(
        &self,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<Schedule>, StoreError> {
        self.shared.store.schedule_list(after, limit).await
    }

    /// Removes a schedule; answers whether it was there. Its jobs stay.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn schedule_delete(&self, name: &Name) -> Result<bool, StoreError> {
        let was_there = self.shared.store.schedule_delete(name).await?;
        self.shared.bus.schedules();
        Ok(was_there)
    }

    /// Lays a schedule to rest, or wakes it; answers it as it stands, if it is there.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn schedule_rest(
        &self,
        name: &Name,
        paused: bool,
    ) -> Result<Option<Schedule>, ScheduleError> {
        let change = |stored: Option<&Schedule>, now| {
            Ok(stored.map(|stored| match (stored.paused, paused) {
                (true, true) | (false, false) => stored.clone(),
                (_, true) => stored.paused(now),
                (_, false) => stored.resumed(now),
            }))
        };
        self.change(name, change).await
    }

    /// Submits a schedule's job now, whatever its rules say; answers it, if there is such a
    /// schedule. The job does not count as one of a tick.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub async fn schedule_trigger(
        &self,
        name: &Name,
        idempotency: Option<Idempotency>,
    ) -> Result<Option<Job>, SubmitError> {
        let Some(schedule) = self.schedule(name).await? else { return Ok(None) };
        let mut job = new_job(&schedule.rules.job)?;
        job.spec.tags = schedule.job_spec(self.now()).tags;
        // It is no tick: the last tag would say so.
        job.spec.tags.pop();
        Ok(self.submit(vec![job], idempotency).await?.pop())
    }

    /// What keeps a schedule's job from being submitted.
    pub(crate) fn misfit(&self, job: &Template) -> Result<(), SubmitError> {
        self.check(&[new_job(job)?])
    }

    /// Changes a schedule, or makes one, as `change` says of the one that is there.
    async fn change(
        &self,
        name: &Name,
        change: impl Fn(Option<&Schedule>, Timestamp) -> Result<Option<Schedule>, ScheduleError>,
    ) -> Result<Option<Schedule>, ScheduleError> {
        for _ in 0..TRIES {
            let stored = self.schedule(name).await?;
            let now = self.now();
            let Some(schedule) = change(stored.as_ref(), now)? else { return Ok(None) };
            if stored.as_ref() == Some(&schedule) {
                return Ok(stored);
            }
            let write = ScheduleWrite { schedule: schedule.clone(), jobs: Vec::new(), at: now };
            let shared = self.shared.clone();
            let written = Unhurried::new(async move {
                let written = shared.store.schedule_write(vec![write]).await;
                shared.bus.schedules();
                written
            });
            match written.await?.first() {
                Some(Written::Done) => return Ok(Some(schedule)),
                Some(Written::Full) => return Err(ScheduleError::TooMany),
                Some(Written::Stale) | None => {}
            }
        }
        Err(StoreError::Broken("a schedule changed too often to be written".to_owned()).into())
    }
}

/// A schedule's job as a submission.
fn new_job(job: &Template) -> Result<NewJob, SubmitError> {
    let read = |json: &jobmill_model::Json| {
        json.to_value().map_err(|error| SubmitError::Store(StoreError::Broken(error.to_string())))
    };
    Ok(NewJob { spec: job.spec.clone(), input: read(&job.input)?, params: read(&job.params)? })
}

impl SubmitError {
    /// All that is wrong, in one line.
    pub(crate) fn in_words(&self) -> String {
        let Self::Invalid(problems) = self else { return self.to_string() };
        let said = problems.iter().map(|(_, problem): &(usize, Problem)| problem.to_string());
        format!("{self}: {}", said.collect::<Vec<_>>().join("; "))
    }
}
