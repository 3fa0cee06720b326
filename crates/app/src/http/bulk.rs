//! Many jobs by a filter: `POST /jobs/cancel`, `POST /jobs/retry`, `DELETE /jobs`; and the deletion
//! of one.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::{StatusCode, Uri};
use jobmill_engine::{Bulk, BulkVerb};
use jobmill_model::{Span, State as JobState};
use jobmill_store::{Deleted, JobQuery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{Many, NoJob, NoSuchFilter};
use super::jobs::{find, refuse_query};
use super::path::JobPath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::bulk::Done;
use crate::wire::problem::Document;
use crate::wire::query::Query;

/// A request goes on for so long; then it says where it stands.
const PATIENCE: Span = Span::from_secs(10);

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(cancel_jobs))
        .routes(routes!(retry_jobs))
        .routes(routes!(delete_jobs))
        .routes(routes!(delete_job))
}

/// Cancel many jobs
///
/// Every job that matches and has not ended is `cancelled`, and its children with it. A filter is
/// needed, or `all=true`. With `dry_run=true` they are only counted. An answer comes after ten
/// seconds at the latest; if `next` is set, ask again with it as `cursor`.
#[utoipa::path(
    post, path = "/jobs/cancel", tag = "jobs", operation_id = "cancel_jobs",
    params(
        ("status" = Option<String>, Query, example = "submitted",
            description = "Only jobs in this state: scheduled, submitted, running"),
        Many,
    ),
    responses(
        (status = 200, description = "How many matched, and how many were cancelled", body = Done,
            example = json!({"dry_run": false, "matched": 12, "changed": 12, "next": null})),
        (status = 400, description = "A filter makes no sense, or there is none",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:bad-query", "title": "Bad query",
                "status": 400, "detail": "the request has a problem; see `errors`",
                "errors": [{"pointer": "", "message": "give a filter (status, flow, queue, tag, \
                    since, until), or `all=true` to mean every job"}]})),
    )
)]
async fn cancel_jobs(State(room): Shared, uri: Uri) -> Answer {
    bulk(&room, &uri, BulkVerb::Cancel).await
}

/// Run many jobs again
///
/// Opens a new run of every failed or cancelled job that matches. As `/jobs/cancel` in all else.
#[utoipa::path(
    post, path = "/jobs/retry", tag = "jobs", operation_id = "retry_jobs",
    params(
        ("status" = Option<String>, Query, example = "failed",
            description = "Only jobs in this state: failed, cancelled"),
        Many,
    ),
    responses(
        (status = 200, description = "How many matched, and how many run again", body = Done,
            example = json!({"dry_run": true, "matched": 3, "changed": 0, "next": null})),
        NoSuchFilter,
    )
)]
async fn retry_jobs(State(room): Shared, uri: Uri) -> Answer {
    bulk(&room, &uri, BulkVerb::Retry).await
}

/// Delete many jobs
///
/// Deletes every job that matches and has ended, with its input, failed attempts and result. As
/// `/jobs/cancel` in all else. A job whose parent has not ended is passed over.
#[utoipa::path(
    delete, path = "/jobs", tag = "jobs", operation_id = "delete_jobs",
    params(
        ("status" = Option<String>, Query, example = "completed",
            description = "Only jobs in this state: completed, failed, cancelled"),
        Many,
    ),
    responses(
        (status = 200, description = "How many matched, and how many are gone", body = Done,
            example = json!({"dry_run": false, "matched": 40, "changed": 40, "next": null})),
        NoSuchFilter,
    )
)]
async fn delete_jobs(State(room): Shared, uri: Uri) -> Answer {
    bulk(&room, &uri, BulkVerb::Delete).await
}

async fn bulk(room: &Room, uri: &Uri, verb: BulkVerb) -> Answer {
    let filters = ["status", "flow", "queue", "tag", "since", "until"];
    let known = [&filters[..], &["all", "dry_run", "cursor"]].concat();
    let mut query = Query::new(uri.query(), &known);
    let states: Vec<JobState> = query.every("status");
    for state in states.iter().filter(|state| !verb.states().contains(state)) {
        query.refuse("status", impossible(verb, *state));
    }
    let (all, dry_run) = (query.switch("all"), query.switch("dry_run"));
    if !all && filters.iter().all(|filter| query.text(filter).is_none()) {
        query.refuse_whole(NO_FILTER);
    }
    let wanted = JobQuery {
        states,
        flow: query.name("flow"),
        queue: query.name("queue"),
        tag: query.name("tag"),
        parent: None,
        since: query.parsed("since"),
        until: query.parsed("until"),
        active_since: None,
        before: query.job_cursor(),
        limit: 0,
    };
    refuse_query(query)?;
    let done = room.engine.bulk(Bulk { verb, query: wanted, dry_run, patience: PATIENCE }).await?;
    Ok(reply::json(&Done::new(done, dry_run)))
}

const NO_FILTER: &str = "give a filter (status, flow, queue, tag, since, until), or `all=true` to \
                         mean every job";

fn impossible(verb: BulkVerb, state: JobState) -> String {
    let words = verb.states().iter().map(|state| state.as_str()).collect::<Vec<_>>().join(", ");
    let what = match verb {
        BulkVerb::Cancel => "cancelled",
        BulkVerb::Retry => "run again",
        BulkVerb::Delete => "deleted",
    };
    format!("a job that is {state} cannot be {what}; possible are {words}")
}

/// Delete a job
///
/// The job is gone with its input, failed attempts and result. Its children stay, and so does its
/// idempotency key, which goes on to answer the id of this job.
#[utoipa::path(
    delete, path = "/jobs/{id}", tag = "jobs", operation_id = "delete_job",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 204, description = "It is gone"),
        NoJob,
        (status = 409, description = "It has not ended, or its parent has not",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:not-possible",
                "title": "Not possible in this state", "status": 409,
                "detail": "the job is running; cancel it before you delete it",
                "id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42", "job_status": "running"})),
    )
)]
async fn delete_job(State(room): Shared, JobPath(id): JobPath) -> Answer {
    match room.engine.delete(&[id]).await?.pop().unwrap_or(Deleted::Unknown) {
        Deleted::Done => Ok(gone()),
        Deleted::Refused(state) => {
            let detail = format!("the job is {state}; cancel it before you delete it");
            Err(Refusal::of_state(Kind::NotPossible, id, state, detail))
        }
        Deleted::Needed => {
            let state = find(&room, id).await?.state;
            let detail = "the job's parent has not ended and may still read its result";
            Err(Refusal::of_state(Kind::NotPossible, id, state, detail))
        }
        Deleted::Unknown => Err(Refusal::no_job()),
    }
}

fn gone() -> Response {
    (StatusCode::NO_CONTENT, Body::empty()).into_response()
}
