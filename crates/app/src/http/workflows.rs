//! `/workflows`: deploy, list, get, delete, run. What runs of a workflow is a job.

use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse;
use hyper::{StatusCode, Uri};
use jobmill_engine::{Deploy, DeployError, ExecuteError};
use jobmill_model::Problem;
use jobmill_model::definition::{definition_name, revision_number};
use jobmill_model::queue::Name;
use jobmill_store::{JobQuery, PutMode};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::described::NoWorkflow;
use super::jobs::refuse_query;
use super::path::NamePath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::job::Job;
use crate::wire::page::Page;
use crate::wire::problem::Document;
use crate::wire::query::Query;
use crate::wire::workflow::{Deployment, Execution, Workflow, read_deployment, read_execution};

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(list_workflows))
        .routes(routes!(get_workflow, deploy_workflow, delete_workflow))
        .routes(routes!(list_revisions))
        .routes(routes!(run_workflow, list_executions))
}

pub(crate) fn no_workflow() -> Refusal {
    let detail = "no workflow has this name; `GET /workflows` lists them";
    Refusal::new(Kind::NoWorkflow, detail)
}

/// The name in a path; text that cannot be one is the name of no workflow.
pub(crate) fn name(text: &str) -> Result<Name, Refusal> {
    definition_name(text).map_err(|_| no_workflow())
}

/// List workflows
///
/// By name, each at its present revision and without its source.
#[utoipa::path(
    get, path = "/workflows", tag = "workflows", operation_id = "list_workflows",
    params(
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses((status = 200, description = "A page of workflows", body = Page<Workflow>,
        example = json!({"items": [], "next": null})))
)]
async fn list_workflows(State(room): Shared, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["cursor", "limit"]);
    let (after, limit) = (query.name("cursor"), query.limit());
    refuse_query(query)?;
    let page = room.engine.definitions(after.as_ref(), limit).await?;
    let items = page.definitions.iter().map(Workflow::row).collect();
    Ok(reply::json(&Page { items, next: page.next.map(|next| next.to_string()) }))
}

/// Get a workflow
///
/// With its source, at its present revision or at the one that is asked for.
#[utoipa::path(
    get, path = "/workflows/{name}", tag = "workflows", operation_id = "get_workflow",
    params(
        ("name" = String, Path, description = "The workflow's name"),
        ("revision" = Option<String>, Query, description = "The id of an older revision"),
    ),
    responses(
        (status = 200, description = "The workflow", body = Workflow),
        (status = 404, description = "No workflow has this name, or it has no such revision",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:no-workflow",
                "title": "Workflow not found", "status": 404,
                "detail": "no workflow has this name; `GET /workflows` lists them"})),
    )
)]
async fn get_workflow(State(room): Shared, NamePath(text): NamePath, uri: Uri) -> Answer {
    let query = Query::new(uri.query(), &["revision"]);
    let revision = query.text("revision").map(str::to_owned);
    refuse_query(query)?;
    let found = room.engine.definition(&name(&text)?, revision.as_deref()).await?;
    match &found {
        Some(definition) => Ok(reply::json(&Workflow::whole(definition, &[]))),
        None => Err(no_workflow()),
    }
}

/// Deploy a workflow
///
/// A new workflow, or a change of one: what is not given stays. A change of the source, the
/// service account or the variables makes a new revision; what runs stays on its own. A source
/// with errors is refused as a whole, with all of them.
#[utoipa::path(
    put, path = "/workflows/{name}", tag = "workflows", operation_id = "deploy_workflow",
    params(("name" = String, Path, description =
        "1 to 64 letters, digits, `_` and `-`; a letter first, a letter or digit last")),
    request_body(content = Deployment, description = "What to deploy",
        example = json!({"source": "- done:\n    return: hello\n"})),
    responses(
        (status = 200, description = "The workflow as it stands now", body = Workflow),
        (status = 422, description = "Everything that is wrong, with its place; nothing is stored",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:source-refused",
                "title": "Source refused", "status": 422,
                "detail": "the source has an error; see `errors`",
                "errors": [{"pointer": "/source", "message": "unknown symbol", "line": 2,
                    "column": 13, "excerpt": "2 |     return: ${x}\n  |               ^"}]})),
    )
)]
async fn deploy_workflow(State(room): Shared, NamePath(text): NamePath, posted: Posted) -> Answer {
    let mut problems = Vec::new();
    let checked = definition_name(&text);
    if let Err(error) = &checked {
        problems.push(Problem::new("", format!("{text:?}: {error}")));
    }
    let change = read_deployment(&posted.json().await?, &mut problems);
    let (Ok(name), true) = (checked, problems.is_empty()) else {
        problems.extend(change.problems());
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    };
    let deploy = Deploy { name, place: None, change, mode: PutMode::Either };
    let deployed = room.engine.deploy(deploy).await.map_err(of_deployment)?;
    Ok(reply::json(&Workflow::whole(&deployed.definition, &deployed.warnings)))
}

fn of_deployment(error: DeployError) -> Refusal {
    match error {
        DeployError::Refused(findings) => Refusal::of_source(findings),
        DeployError::Invalid(problems) => Refusal::of_problems(Kind::Invalid, problems),
        DeployError::Exists | DeployError::Unknown => no_workflow(),
        DeployError::Draining => jobmill_store::StoreError::Closed.into(),
        DeployError::Store(error) => error.into(),
    }
}

/// Delete a workflow
///
/// With all its revisions. What runs of it is cancelled; its ended executions stay as jobs.
#[utoipa::path(
    delete, path = "/workflows/{name}", tag = "workflows", operation_id = "delete_workflow",
    params(("name" = String, Path, description = "The workflow's name")),
    responses(
        (status = 204, description = "It is gone"),
        NoWorkflow,
    )
)]
async fn delete_workflow(State(room): Shared, NamePath(text): NamePath) -> Answer {
    match room.engine.undeploy(&name(&text)?).await? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(no_workflow()),
    }
}

/// List the revisions of a workflow
///
/// Newest first, each without its source.
#[utoipa::path(
    get, path = "/workflows/{name}/revisions", tag = "workflows", operation_id = "list_revisions",
    params(
        ("name" = String, Path, description = "The workflow's name"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of revisions", body = Page<Workflow>),
        NoWorkflow,
    )
)]
async fn list_revisions(State(room): Shared, NamePath(text): NamePath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["cursor", "limit"]);
    let (cursor, limit) = (query.text("cursor").map(str::to_owned), query.limit());
    refuse_query(query)?;
    let name = name(&text)?;
    let before = cursor.as_deref().and_then(revision_number);
    let rows = room.engine.revisions(&name, before, limit).await?;
    if rows.is_empty() && room.engine.definition(&name, None).await?.is_none() {
        return Err(no_workflow());
    }
    let next = rows.last().filter(|last| last.number > 1 && rows.len() == limit);
    let next = next.map(|last| last.revision.clone());
    Ok(reply::json(&Page { items: rows.iter().map(Workflow::row).collect(), next }))
}

/// Run a workflow
///
/// When the answer comes, the execution is on disk: a job of the flow `workflow:NAME`, which
/// stays on the present revision, or on the one that is asked for. Everything of `/jobs` goes for
/// it: its state, its result, its errors, to cancel it.
#[utoipa::path(
    post, path = "/workflows/{name}/executions", tag = "workflows", operation_id = "run_workflow",
    params(
        ("name" = String, Path, description = "The workflow's name"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "The same key with the same body gives the same job"),
    ),
    request_body(content = Execution, description = "What to run it with",
        example = json!({"argument": {"order": 7}})),
    responses(
        (status = 202, description = "Accepted: the execution is on disk", body = Job,
            headers(("Location" = String, description = "Where the job can be read"))),
        NoWorkflow,
        (status = 422, description = "Everything that is wrong",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn run_workflow(State(room): Shared, NamePath(text): NamePath, posted: Posted) -> Answer {
    let name = name(&text)?;
    let body = posted.json().await?;
    let route = format!("POST /workflows/{name}/executions");
    let idempotency = posted.idempotency(&route, || body.to_string(), room.engine.now())?;
    let mut problems = Vec::new();
    let execute = read_execution(&body, &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    }
    let begun = room.engine.execute(&name, execute, idempotency).await;
    let job = begun.map_err(|error| match error {
        ExecuteError::UnknownWorkflow => no_workflow(),
        ExecuteError::UnknownRevision => {
            let problem = Problem::new("/revision", "the workflow has no such revision");
            Refusal::of_problems(Kind::Invalid, vec![problem])
        }
        ExecuteError::Submit(error) => Refusal::of_submission(error, |_, problem| problem),
    })?;
    Ok(reply::accepted(&job))
}

/// List the executions of a workflow
///
/// Newest first.
#[utoipa::path(
    get, path = "/workflows/{name}/executions", tag = "workflows",
    operation_id = "list_executions",
    params(
        ("name" = String, Path, description = "The workflow's name"),
        ("status" = Option<String>, Query,
            description = "Only executions in this state; several with commas"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = Page<Job>),
        NoWorkflow,
    )
)]
async fn list_executions(State(room): Shared, NamePath(text): NamePath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["status", "cursor", "limit"]);
    let wanted = JobQuery {
        states: query.every("status"),
        before: query.job_cursor(),
        limit: query.limit(),
        ..JobQuery::default()
    };
    refuse_query(query)?;
    let name = name(&text)?;
    let page = room.engine.executions(&name, &wanted).await?;
    if page.jobs.is_empty() && room.engine.definition(&name, None).await?.is_none() {
        return Err(no_workflow());
    }
    let items = page.jobs.iter().map(Job::from).collect();
    let next = page.next.map(|id| id.to_string());
    Ok(reply::json(&Page { items, next }))
}
