//! `/workflows/{name}/graph.svg` and `/jobs/{id}/graph.svg`: a workflow as a picture.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hyper::Uri;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use jobmill_engine::Graph;
use jobmill_model::limits::GRAPH_STEPS;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::NoJob;
use super::jobs::refuse_query;
use super::path::{JobPath, NamePath};
use super::refusal::{Kind, Refusal};
use super::reply::Answer;
use super::room::{Room, Shared};
use super::workflows;
use crate::wire::problem::Document;
use crate::wire::query::Query;

/// Nothing but its own styles may act within the picture.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(draw_workflow)).routes(routes!(draw_job))
}

/// Draw a workflow
///
/// Steps from top to bottom, blocks as frames, branches beside each other, jumps as lines.
#[utoipa::path(
    get, path = "/workflows/{name}/graph.svg", tag = "workflows", operation_id = "draw_workflow",
    params(
        ("name" = String, Path, description = "The workflow's name"),
        ("revision" = Option<String>, Query,
            description = "The id of a revision; without it the present one"),
    ),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/svg+xml"),
        (status = 404, description = "No workflow has this name or this revision",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "The workflow has more than 2,000 steps",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn draw_workflow(State(room): Shared, NamePath(text): NamePath, uri: Uri) -> Answer {
    let query = Query::new(uri.query(), &["revision"]);
    let revision = query.text("revision").map(str::to_owned);
    refuse_query(query)?;
    let name = workflows::name(&text)?;
    shown(room.engine.workflow_graph(&name, revision.as_deref()).await?, workflows::no_workflow)
}

/// Draw the way of an execution through its workflow
///
/// The steps it has passed are green, those it is in blue, those that failed last red, with how
/// often it passed them; the rest is pale. Where its steps cannot be told any more, the workflow
/// alone is drawn.
#[utoipa::path(
    get, path = "/jobs/{id}/graph.svg", tag = "jobs", operation_id = "draw_job",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The picture", body = String, content_type = "image/svg+xml"),
        NoJob,
        (status = 422, description = "The job is no execution of a workflow, its revision is gone, \
            or it has more than 2,000 steps",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn draw_job(State(room): Shared, JobPath(id): JobPath) -> Answer {
    shown(room.engine.job_graph(id).await?, Refusal::no_job)
}

fn shown(graph: Graph, unknown: impl FnOnce() -> Refusal) -> Answer {
    let invalid = |text: String| Err(Refusal::new(Kind::Invalid, text));
    match graph {
        Graph::Drawn(svg) => {
            let mut response = Response::new(Body::from(svg));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("image/svg+xml"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(CONTENT_SECURITY_POLICY, POLICY);
            Ok(response)
        }
        Graph::Unknown => Err(unknown()),
        Graph::TooLarge => invalid(format!("more than {GRAPH_STEPS} steps are not drawn")),
        Graph::NoWorkflow => {
            invalid("the job is no execution of a workflow, or its revision is gone".to_owned())
        }
    }
}
