//! Executions that an execution begins and waits for: child jobs, which are cancelled with it.
//!
//! The child is submitted under the effect's own key, so that a machine that goes on after a
//! crash finds the child that it had begun, and does not begin another.

use std::sync::Arc;

use futures::stream::{StreamExt, TryStreamExt};
use jobmill_flow::output::join;
use jobmill_model::definition::definition_name;
use jobmill_model::job::{Fingerprint, Idempotency};
use jobmill_model::machine::{ConnectorCall, Outcome};
use jobmill_model::{Fault, Job, JobId, Map, Span, State, Value};

use super::outcome_of;
use crate::engine::{Engine, Shared};
use crate::execution::{Execute, ExecuteError};

/// Children of one `map` that run at once.
const AT_ONCE: usize = 20;
/// A child may take as long as an execution may.
const YEAR: Span = Span::from_secs(365 * 86_400);

const RUN: [&str; 3] = [
    "googleapis.workflowexecutions.v1.projects.locations.workflows.executions.run",
    "googleapis.workflowexecutions.v1beta.projects.locations.workflows.executions.run",
    "experimental.executions.run",
];
const MAP: [&str; 3] = [
    "googleapis.workflowexecutions.v1.projects.locations.workflows.executions.map",
    "googleapis.workflowexecutions.v1beta.projects.locations.workflows.executions.map",
    "experimental.executions.map",
];

/// Whether a connector is one of these.
pub(super) fn knows(method: &str) -> bool {
    RUN.contains(&method) || MAP.contains(&method)
}

/// Why there is no result.
enum Trouble {
    /// An error that the workflow sees as a map.
    Error(Value),
    /// A fault, whose code becomes the tag.
    Fault(Fault),
}

/// Runs one child, or one for each argument, and waits for all of them.
pub(super) async fn perform(
    shared: Arc<Shared>,
    parent: JobId,
    call: ConnectorCall,
    key: String,
) -> Outcome {
    let outcome = match MAP.contains(&call.method.as_str()) {
        true => map(shared, parent, &call, &key).await,
        false => {
            let given = argument(&call, "argument").cloned().unwrap_or_default();
            run(shared, parent, workflow(&call), given, key).await
        }
    };
    match outcome {
        Ok(result) => Outcome::Done(Value::map([("result", result)])),
        Err(Trouble::Error(error)) => Outcome::Done(Value::map([("error", error)])),
        Err(Trouble::Fault(fault)) => outcome_of(Err(fault)),
    }
}

async fn map(
    shared: Arc<Shared>,
    parent: JobId,
    call: &ConnectorCall,
    key: &str,
) -> Result<Value, Trouble> {
    let given = argument(call, "arguments").and_then(Value::as_list).unwrap_or_default().to_vec();
    let mut runs = Vec::with_capacity(given.len());
    for (number, given) in given.into_iter().enumerate() {
        let key = format!("{key}-{number}");
        runs.push(run(shared.clone(), parent, workflow(call), given, key));
    }
    let results = futures::stream::iter(runs).buffered(AT_ONCE).try_collect::<Vec<_>>().await?;
    Ok(Value::list(results))
}

fn argument<'a>(call: &'a ConnectorCall, name: &str) -> Option<&'a Value> {
    call.args.as_map()?.get(name)
}

/// The workflow that a call names.
fn workflow(call: &ConnectorCall) -> Option<String> {
    argument(call, "workflow_id").and_then(Value::as_str).map(str::to_owned)
}

async fn run(
    shared: Arc<Shared>,
    parent: JobId,
    workflow: Option<String>,
    given: Value,
    key: String,
) -> Result<Value, Trouble> {
    let engine = Engine { shared: shared.clone() };
    let name = workflow.ok_or_else(|| {
        Trouble::Fault(Fault::last("TypeError", "the argument 'workflow_id' must be a string"))
    })?;
    let unknown = || Trouble::Error(not_found(&name));
    let definition = definition_name(&name).map_err(|_| unknown())?;
    let body = Fingerprint::of(given.to_string().as_bytes());
    let idempotency = Idempotency::new(format!("child {parent}"), &key, body, engine.now());
    let idempotency = idempotency.map_err(|error| broken(&error.to_string()))?;
    let execute = Execute { argument: given, ..Execute::default() };
    let begun = engine.execute_below(Some(parent), &definition, execute, Some(idempotency)).await;
    let child = begun.map_err(|error| match error {
        ExecuteError::UnknownWorkflow | ExecuteError::UnknownRevision => unknown(),
        ExecuteError::Submit(error) => broken(&error.to_string()),
    })?;
    let ended = loop {
        let standing = engine.wait(child.id, YEAR).await;
        match standing.map_err(|error| broken(&error.to_string()))? {
            Some(job) if job.state.is_final() => break job,
            // At a shutdown: this effect is dropped with its machine, and begun again.
            Some(_) if engine.is_draining() => std::future::pending().await,
            Some(_) => {}
            None => return Err(broken("the child execution was deleted before it had ended")),
        }
    };
    match ended.state {
        State::Completed => result(&shared, ended.id).await,
        _ => Err(Trouble::Error(failed(&ended, &name))),
    }
}

async fn result(shared: &Shared, id: JobId) -> Result<Value, Trouble> {
    let store = &shared.store;
    let extent = store.output_extent(id).await.map_err(|error| broken(&error.to_string()))?;
    let Some(extent) = extent else { return Ok(Value::Null) };
    let chunks = store.output_read(id, 0, usize::MAX).await;
    let chunks = chunks.map_err(|error| broken(&error.to_string()))?;
    let text = join(extent.shape, &chunks);
    Value::from_json(text.as_bytes()).map_err(|error| broken(&error.to_string()))
}

fn broken(why: &str) -> Trouble {
    Trouble::Fault(Fault::last("SystemError", format!("run the child execution: {why}")))
}

/// What Google answers for a workflow that is not there.
fn not_found(name: &str) -> Value {
    let message = format!("workflow {name:?} was not found on this server");
    let error = Value::map([
        ("code", Value::from(404)),
        ("message", message.into()),
        ("status", "NOT_FOUND".into()),
    ]);
    Value::map([
        ("message", Value::from("HTTP server responded with error code 404")),
        ("code", Value::from(404)),
        ("headers", Map::new().into()),
        ("body", Value::map([("error", error)])),
        ("tags", Value::list(["HttpError".into()])),
    ])
}

/// What Google answers for an execution that did not end well.
fn failed(job: &Job, name: &str) -> Value {
    let state = if job.state == State::Cancelled { "CANCELLED" } else { "FAILED" };
    let context = job.error.as_ref().map_or("", |error| error.message.as_str());
    let error = Value::map([("context", Value::from(context))]);
    let operation = Value::map([
        ("name", Value::from(format!("workflows/{name}/executions/{}", job.id))),
        ("state", state.into()),
        ("error", error.clone()),
    ]);
    Value::map([
        ("message", Value::from("Execution failed or cancelled.")),
        ("tags", Value::list(["OperationError".into()])),
        ("operation", operation),
        ("error", error),
    ])
}
