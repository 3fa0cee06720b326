//! The steps of an execution: its journal is folded again by a machine that remembers them.
//!
//! Nothing is stored for it. A run that has ended keeps its journal until the next one begins, so
//! that its steps can still be told; one that is very large, or that somebody deleted, is gone.

use std::sync::Arc;

use jobmill_model::machine::{Asked, Begin, Entry, History, Program, Remembering, Step, Then};
use jobmill_model::{Job, JobId, State, limits};
use jobmill_store::{Deleted, StoreError};

use crate::engine::{Engine, Shared};
use crate::execution;
use crate::programs::{self, NoProgram};
use crate::unhurried::Unhurried;

/// Entries of a journal that are read at once.
const ENTRIES: usize = 200;

/// How much of a run's steps can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Every step.
    Whole,
    /// The first [`limits::HISTORY_STEPS`].
    Cut,
    /// None: the run's journal was too large to be kept, or was deleted.
    Gone,
    /// None: the job is no execution of a workflow, or its revision is gone.
    Nothing,
}

/// A job and what became of its steps in its present run.
#[derive(Debug, Clone, PartialEq)]
pub struct Chronicle {
    /// The job.
    pub job: Job,
    /// Its steps.
    pub history: History,
    /// How much of them there is.
    pub kept: Kept,
}

impl Engine {
    /// What became of the steps of a job's present run, with the variables of those from one
    /// place on, if they are wanted.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn history(
        &self,
        id: JobId,
        variables: Option<(usize, usize)>,
    ) -> Result<Option<Chronicle>, StoreError> {
        let Some(job) = self.job(id).await? else { return Ok(None) };
        let asked = Asked { most: limits::HISTORY_STEPS, variables };
        let told = self.tell(&job, asked).await?;
        let kept = match &told {
            None => Kept::Nothing,
            Some(history) if is_gone(&job, history) => Kept::Gone,
            Some(history) if history.count > history.steps.len() as u64 => Kept::Cut,
            Some(_) => Kept::Whole,
        };
        let mut history = told.unwrap_or_default();
        match job.finished_at {
            _ if kept == Kept::Gone => history = History::default(),
            Some(at) => history.cut_off(at),
            None => {}
        }
        Ok(Some(Chronicle { job, history, kept }))
    }

    /// Removes what an ended run is told from.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn forget_history(&self, id: JobId) -> Result<Deleted, StoreError> {
        let store = self.shared.store.clone();
        Unhurried::new(async move { store.journal_delete(id).await }).await
    }

    async fn tell(&self, job: &Job, asked: Asked) -> Result<Option<History>, StoreError> {
        let shared = &self.shared;
        let Ok(_turn) = shared.histories.acquire().await else { return Ok(None) };
        let begun = match begin(shared, job).await {
            Ok(Some((program, begin))) => program.remembering(begin, asked),
            Ok(None) | Err(NoProgram::Fault(_)) => None,
            Err(NoProgram::Store(error)) => return Err(error),
        };
        let Some(mut machine) = begun else { return Ok(None) };
        let Some(started_at) = job.started_at else { return Ok(Some(History::default())) };
        machine.set_time(started_at);
        let (mut next, mut entries, mut is_first) = (0, Vec::new(), true);
        loop {
            let folding = tokio::task::spawn_blocking(move || {
                let goes_on = fold(&mut *machine, entries, is_first);
                (machine, goes_on)
            });
            let Ok((folded, goes_on)) = folding.await else { return Ok(None) };
            machine = folded;
            entries = shared.store.journal_read(job.id, next, ENTRIES).await?;
            match entries.last() {
                Some(last) if goes_on => next = last.seq + 1,
                _ => return Ok(Some(machine.history())),
            }
            is_first = false;
        }
    }
}

/// The program of a job and what it was begun with, if it is an execution of a workflow.
async fn begin(
    shared: &Arc<Shared>,
    job: &Job,
) -> Result<Option<(Arc<dyn Program>, Begin)>, NoProgram> {
    let Some(definition) = shared.runs(&job.spec.flow) else { return Ok(None) };
    let unreadable = || NoProgram::Store(StoreError::Broken(format!("job {} is no JSON", job.id)));
    let input = job.input.to_value().map_err(|_| unreadable())?;
    let params = job.params.to_value().map_err(|_| unreadable())?;
    let revision = execution::revision(&params);
    let program = programs::program(shared, &definition, &revision).await?;
    Ok(Some((program, execution::begin(job.id, job.run, input))))
}

/// Folds entries; answers whether the machine waits for more.
fn fold(machine: &mut dyn Remembering, entries: Vec<Entry>, is_first: bool) -> bool {
    let goes_on = |machine: &mut dyn Remembering, mut step: Step| {
        while step.then == Then::Pause {
            step = machine.go_on();
        }
        step.then == Then::Wait
    };
    if is_first {
        let step = machine.start();
        return goes_on(machine, step);
    }
    entries.into_iter().all(|entry| {
        machine.set_time(entry.at);
        let step = machine.fold(entry.number, entry.outcome);
        goes_on(machine, step)
    })
}

/// Whether the journal must have led further than it does.
fn is_gone(job: &Job, history: &History) -> bool {
    let ended_itself = match job.state {
        State::Completed => true,
        State::Failed => job.error.as_ref().is_some_and(|error| !is_from_outside(&error.code)),
        State::Cancelled | State::Scheduled | State::Submitted | State::Running => false,
    };
    ended_itself && !history.is_over
}

/// Whether a run fails with this code although its machine has not ended.
fn is_from_outside(code: &str) -> bool {
    ["WorkerLost", "Timeout", "JournalFull", "StoreDamaged", "journal_mismatch"].contains(&code)
}
