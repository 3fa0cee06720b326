//! Document 002: `/is_valid_input`, `/process`, `/trigger_workflow`, and the state of a workflow.

use std::sync::Arc;

use axum::extract::State;
use hyper::Uri;
use jobmill_engine::{Execute, ExecuteError};
use jobmill_google::discovery::{Call, connector};
use jobmill_google::wire::{Error, Status};
use jobmill_model::queue::Name;
use jobmill_model::{Job, Problem, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::body::Posted;
use crate::http::deadline;
use crate::http::refusal::{Kind, Refusal};
use crate::http::reply::{self, Answer};
use crate::http::room::{Room, Shared, until_closing};
use crate::wire::document_002::{Input, Processed, Refused, Triggered, as_text, plain, verdict};
use crate::wire::id::Id;
use crate::wire::query::Query;

/// The workflow of this document, as it is deployed.
const WORKFLOW: &str = "backend_starter";
/// The dataset and the table of what was processed; the workflow's own table is beside it.
const DATASET: &str = "backend_starter";
const INPUTS: &str = "inputs";

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(is_valid_input))
        .routes(routes!(process))
        .routes(routes!(trigger_workflow))
}

/// Check an input
///
/// Text without an upper-case letter is `Success`, other text `Fail`. What reads as a whole or a
/// decimal number is refused, and `true` and `false` break the check, as its document asks; in
/// double quotes everything is text.
#[utoipa::path(
    get, path = "/is_valid_input", tag = "document 002", operation_id = "check_input",
    params(("x" = String, Query, description = "The input", example = "abc")),
    responses(
        (status = 200, description = "`Success` or `Fail`", body = String,
            content_type = "application/json", example = json!("Success")),
        (status = 400, description = "The input is a number", body = Refused),
        (status = 422, description = "There is no `x`", body = Refused),
        (status = 500, description = "The input is a Boolean", body = Refused),
    )
)]
async fn is_valid_input(uri: Uri) -> Answer {
    let query = Query::lenient(uri.query());
    let Some(x) = query.text("x") else {
        let problem = Problem::new("/x", "field required");
        return Err(Refusal::of_problems(Kind::Invalid, vec![problem]));
    };
    match Input::read(x) {
        Input::Text(text) => Ok(reply::json(&verdict(text))),
        Input::Int => Err(Refusal::new(Kind::BadQuery, "\"int\" is not allowed")),
        Input::Float => Err(Refusal::new(Kind::BadQuery, "\"float\" is not allowed")),
        Input::Bool => Err(Refusal::new(Kind::Broken, "a Boolean cannot be checked")),
    }
}

/// Process an input
///
/// Takes its time, `process_sleep` of the settings, then writes the input as a row of a table with
/// one column. The time limit of requests does not count meanwhile.
#[utoipa::path(
    post, path = "/process", tag = "document 002", operation_id = "submit_input",
    request_body(content = Processed, description = "The input", example = json!({"x": "abc"})),
    responses(
        (status = 200, description = "It is written", body = String,
            content_type = "application/json", example = json!("Success")),
        (status = 422, description = "There is no `x`, or it is no text", body = Refused),
    )
)]
async fn process(State(room): Shared, posted: Posted) -> Answer {
    let x = input(&posted).await?;
    tokio::select! {
        () = deadline::pause(room.process_sleep) => {}
        () = until_closing(room.closing.clone()) => return Err(Refusal::closing()),
    }
    keep(&room, &x).await?;
    Ok(reply::json(&"Success"))
}

/// The `x` of a body, as text.
async fn input(posted: &Posted) -> Result<String, Refusal> {
    let body = posted.json().await?;
    let x = match &body {
        Value::Map(map) => map.get("x"),
        other => Some(other),
    };
    let message =
        if x.is_none() { "field required" } else { "expected text, a number or a Boolean" };
    x.and_then(as_text)
        .ok_or_else(|| Refusal::of_problems(Kind::Invalid, vec![Problem::new("/x", message)]))
}

/// Writes a row, and makes the table when it is not there yet.
async fn keep(room: &Room, x: &str) -> Result<(), Refusal> {
    let row = Value::map([("json", Value::map([("input", x.into())]))]);
    let rows = Value::map([("rows", Value::list([row]))]);
    let table = [("datasetId", DATASET.into()), ("tableId", INPUTS.into())];
    let insert = || call(room, "bigquery.v2.tabledata.insertAll", &table, rows.clone());
    let inserted = match insert().await {
        Err(error) if error.status == Status::NotFound => {
            make_table(room).await?;
            insert().await?
        }
        inserted => inserted?,
    };
    match part(&inserted, "insertErrors") {
        Value::Null => Ok(()),
        errors => Err(Refusal::new(Kind::Broken, format!("the row was refused: {errors}"))),
    }
}

async fn make_table(room: &Room) -> Result<(), Error> {
    let there = |made: Result<Value, Error>| match made {
        Err(error) if error.status != Status::AlreadyExists => Err(error),
        _ => Ok(()),
    };
    let id = Value::map([("datasetId", DATASET.into())]);
    let dataset = Value::map([("datasetReference", id)]);
    there(call(room, "bigquery.v2.datasets.insert", &[], dataset).await)?;
    let column = Value::map([("name", "input".into()), ("type", "STRING".into())]);
    let table = Value::map([
        ("tableReference", Value::map([("tableId", INPUTS.into())])),
        ("schema", Value::map([("fields", Value::list([column]))])),
    ]);
    let dataset = [("datasetId", DATASET.into())];
    there(call(room, "bigquery.v2.tables.insert", &dataset, table).await)
}

/// Calls one of Google's services as a connector would.
async fn call(
    room: &Room,
    method: &str,
    args: &[(&'static str, Value)],
    body: Value,
) -> Result<Value, Error> {
    let method = connector(&format!("googleapis.{method}"))?;
    let mut all = jobmill_model::Map::new();
    if method.takes("projectId") {
        all.insert("projectId", project(room).into());
    }
    for (name, value) in args {
        all.insert(*name, value.clone());
    }
    all.insert("body", body);
    room.engine.connector_call(Call::of_connector(method, &all.into())?).await
}

fn project(room: &Room) -> &str {
    room.engine.home().map_or("local", |home| &home.project)
}

fn part(value: &Value, name: &str) -> Value {
    value.as_map().and_then(|map| map.get(name)).cloned().unwrap_or_default()
}

/// Run the workflow of this document
///
/// It is the workflow `backend_starter`, which `jobmill demo` deploys.
#[utoipa::path(
    post, path = "/trigger_workflow", tag = "document 002", operation_id = "submit_workflow",
    request_body(content = Processed, description = "The name", example = json!({"x": "abc"})),
    responses(
        (status = 200, description = "It is on disk and will run", body = Triggered,
            example = json!({"workflow_id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42"})),
        (status = 404, description = "The workflow is not deployed", body = Refused),
        (status = 422, description = "There is no `x`, or it is no text", body = Refused),
    )
)]
async fn trigger_workflow(State(room): Shared, posted: Posted) -> Answer {
    let x = input(&posted).await?;
    let service = room.engine.public_url().unwrap_or_default();
    let argument = Value::map([("name", x.into()), ("service", service.into())]);
    let execute = Execute { argument, ..Execute::default() };
    match room.engine.execute(&Name::trusted(WORKFLOW), execute, None).await {
        Ok(job) => Ok(reply::json(&Triggered { workflow_id: Id(job.id) })),
        Err(ExecuteError::Submit(error)) => {
            Err(Refusal::of_submission(error, |_, problem| problem))
        }
        Err(error) => Err(Refusal::new(
            Kind::NoFlow,
            format!("the workflow {WORKFLOW} cannot run: {error}; deploy it first"),
        )),
    }
}

/// The state document of a workflow's job, without types; nothing while there is none.
pub(crate) async fn state(room: &Room, job: &Job) -> Result<Option<Value>, Refusal> {
    let input = job.input.to_value().unwrap_or_default();
    let Some(name) = part(&input, "name").as_str().map(encoded) else { return Ok(None) };
    // The workflow writes in the project that it is deployed in.
    let deployed = room.engine.definition(&Name::trusted(WORKFLOW), None).await?;
    let place = deployed.as_ref().map(|definition| &*definition.place.project);
    let project = place.unwrap_or_else(|| project(room));
    let documents = format!("projects/{project}/databases/(default)/documents");
    let name = [("name", format!("{documents}/{WORKFLOW}/{name}").into())];
    let get = "firestore.v1.projects.databases.documents.get";
    match call(room, get, &name, Value::Null).await {
        Ok(document) => Ok(Some(plain(&document))),
        Err(error) if error.status == Status::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// As the workflow's `text.url_encode`.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// Whether this document's words tell where a job stands.
pub(crate) fn owns(job: &Job) -> bool {
    job.spec.flow.as_str().strip_prefix("workflow:") == Some(WORKFLOW)
}
