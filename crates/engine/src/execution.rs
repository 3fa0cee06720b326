//! Executions: jobs that run a definition, and stay on the revision that they began with.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_model::definition::{CallLogLevel, HistoryLevel, Texts, definition_of, flow_of};
use jobmill_model::execution::ExecutionParams;
use jobmill_model::job::{Idempotency, Spec};
use jobmill_model::machine::{Begin, Program, Seed};
use jobmill_model::queue::Name;
use jobmill_model::{Definition, Job, JobId, NewJob, Problem, Value};
use jobmill_store::{JobPage, JobQuery, StoreError};

use crate::engine::{Engine, Shared};
use crate::perform::Task;
use crate::programs::{self, NoProgram};
use crate::submit::SubmitError;

/// The variable that holds an execution's own id.
const OWN_ID: &str = "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID";

/// An execution to begin.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Execute {
    /// What the workflow works on.
    pub argument: Value,
    /// The revision to run, if not the present one.
    pub revision: Option<String>,
    /// Labels, besides those of the definition.
    pub labels: Texts,
    /// Which calls are logged, if not as the definition says.
    pub call_log_level: CallLogLevel,
    /// How much of its history somebody wants to see, if not as the definition says.
    pub history_level: HistoryLevel,
}

/// Why an execution was not begun.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExecuteError {
    /// No definition has this name.
    #[error("no workflow has this name")]
    UnknownWorkflow,
    /// The definition has no such revision.
    #[error("the workflow has no such revision")]
    UnknownRevision,
    /// It was not accepted.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<StoreError> for ExecuteError {
    fn from(error: StoreError) -> Self {
        Self::Submit(SubmitError::Store(error))
    }
}

impl Engine {
    /// Begins an execution; when it answers `Ok` it is on disk.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn execute(
        &self,
        definition: &Name,
        execute: Execute,
        idempotency: Option<Idempotency>,
    ) -> Result<Job, ExecuteError> {
        self.execute_below(None, definition, execute, idempotency).await
    }

    /// The same for a child of another job.
    pub(crate) async fn execute_below(
        &self,
        parent: Option<JobId>,
        definition: &Name,
        execute: Execute,
        idempotency: Option<Idempotency>,
    ) -> Result<Job, ExecuteError> {
        self.check_argument(&execute.argument)?;
        let found = self.definition(definition, None).await?;
        let mut found = found.ok_or(ExecuteError::UnknownWorkflow)?;
        if let Some(revision) = &execute.revision {
            let older = self.definition(definition, Some(revision)).await?;
            found = older.ok_or(ExecuteError::UnknownRevision)?;
        }
        let mut labels = found.content.labels.clone();
        labels.extend(execute.labels);
        let params = ExecutionParams {
            call_log_level: level(execute.call_log_level, &found),
            revision: found.revision,
            labels,
            history_level: execute.history_level,
        };
        let job = NewJob {
            spec: Spec { max_attempts: 1, parent, ..Spec::new(flow_of(definition)) },
            input: execute.argument,
            params: params.to_value(),
        };
        let accepted = self.submit(vec![job], idempotency).await?;
        accepted.into_iter().next().ok_or_else(|| {
            StoreError::Broken("the execution was stored but is not shown".to_owned()).into()
        })
    }

    /// The limit of the service is on the text, so it is the text that is measured.
    fn check_argument(&self, argument: &Value) -> Result<(), SubmitError> {
        let most = self.shared.registry.workflows().map_or(usize::MAX, |it| it.argument_bytes);
        // A text is never more than six times as long as what it is estimated by.
        let is_short = argument.size_bytes().saturating_mul(6) <= most;
        if is_short || argument.to_json().as_str().len() <= most {
            return Ok(());
        }
        let problem = Problem::new("/argument", format!("at most {most} bytes of JSON text"));
        Err(SubmitError::Invalid(vec![(0, problem)]))
    }

    /// An execution of a definition, if it exists and is one of this definition.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn execution(&self, definition: &Name, id: JobId) -> Result<Option<Job>, StoreError> {
        let flow = flow_of(definition);
        Ok(self.job(id).await?.filter(|job| job.spec.flow == flow))
    }

    /// A page of a definition's executions, newest first; the query's flow does not matter.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn executions(
        &self,
        definition: &Name,
        query: &JobQuery,
    ) -> Result<JobPage, StoreError> {
        let flow = Some(flow_of(definition));
        self.jobs(&JobQuery { flow, ..query.clone() }).await
    }

    /// Gives the jobs among these that run a definition their revision, the present one where
    /// they name none.
    pub(crate) async fn pin_revisions(&self, jobs: &mut [NewJob]) -> Result<(), SubmitError> {
        if self.shared.registry.workflows().is_none() {
            return Ok(());
        }
        let mut known = BTreeMap::new();
        for (index, job) in jobs.iter_mut().enumerate() {
            let Some(definition) = definition_of(&job.spec.flow) else { continue };
            if !known.contains_key(&definition) {
                let present = self.definition(&definition, None).await?;
                known.insert(definition.clone(), present);
            }
            let Some(Some(present)) = known.get(&definition) else {
                return Err(SubmitError::UnknownFlow {
                    index,
                    flow: job.spec.flow.to_string(),
                    near: None,
                });
            };
            self.pin(index, job, present).await?;
        }
        Ok(())
    }

    async fn pin(
        &self,
        index: usize,
        job: &mut NewJob,
        present: &Definition,
    ) -> Result<(), SubmitError> {
        let given = job.params.as_map().and_then(|map| map.get("revision")).cloned();
        match given {
            None | Some(Value::Null) => {
                let mut params = job.params.as_map().cloned().unwrap_or_default();
                params.insert("revision", present.revision.as_str().into());
                let level = level(CallLogLevel::Unspecified, present);
                if !params.contains("call_log_level") && level != CallLogLevel::Unspecified {
                    params.insert("call_log_level", level.as_str().into());
                }
                job.params = params.into();
            }
            Some(Value::String(revision)) => {
                let is_known = *revision == *present.revision
                    || self.definition(&present.name, Some(&revision)).await?.is_some();
                if !is_known {
                    let text = format!("workflow {} has no revision {revision:?}", present.name);
                    let problem = Problem::new("/params/revision", text);
                    return Err(SubmitError::Invalid(vec![(index, problem)]));
                }
            }
            Some(other) => {
                let text = format!("expected a string, got {}", other.kind());
                let problem = Problem::new("/params/revision", text);
                return Err(SubmitError::Invalid(vec![(index, problem)]));
            }
        }
        Ok(())
    }
}

/// Which calls are logged: as somebody says, else as the definition says.
fn level(said: CallLogLevel, definition: &Definition) -> CallLogLevel {
    match said {
        CallLogLevel::Unspecified => definition.content.call_log_level,
        said => said,
    }
}

/// The program of an execution, what it is begun with, and which of its calls are logged.
pub(crate) async fn load(
    shared: &Arc<Shared>,
    definition: &Name,
    task: &mut Task,
) -> Result<(Arc<dyn Program>, Begin, CallLogLevel), NoProgram> {
    let (input, params) = task.documents().map_err(NoProgram::Fault)?;
    let revision = revision(&params);
    let program = programs::program(shared, definition, &revision).await?;
    let level = ExecutionParams::from_value(&params).call_log_level;
    Ok((program, begin(task.id, task.run, input), level))
}

/// The revision that an execution with these params runs.
pub(crate) fn revision(params: &Value) -> String {
    ExecutionParams::from_value(params).revision
}

/// What an execution is begun with, the same whenever it is folded again.
pub(crate) fn begin(id: JobId, run: u32, input: Value) -> Begin {
    let env = Value::map([(OWN_ID, Value::from(id.to_string()))]);
    Begin { input, params: Value::map([("env", env)]), seed: Seed::of(id, run) }
}
