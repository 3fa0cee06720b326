//! `/jobs/{id}/errors`: the failed attempts of a job.

use std::sync::Arc;

use axum::extract::State;
use hyper::Uri;
use jobmill_store::AttemptQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::NoJob;
use super::jobs::{find, refuse_query};
use super::path::JobPath;
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::attempt::Attempt;
use crate::wire::page::Page;
use crate::wire::problem::Document;
use crate::wire::query::Query;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(list_errors))
}

/// List the failed attempts of a job
///
/// Oldest first, over all runs of the job. Every filter that is given must hold.
#[utoipa::path(
    get, path = "/jobs/{id}/errors", tag = "jobs", operation_id = "list_errors",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("type" = Option<String>, Query, description = "Only errors of this type"),
        ("since" = Option<String>, Query, description = "Only errors at or after this time"),
        ("until" = Option<String>, Query, description = "Only errors before this time"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of failed attempts", body = Page<Attempt>,
            example = json!({"items": [{"run": 1, "attempt": 1, "type": "Timeout",
                "message": "the attempt took longer than 5m",
                "failed_at": "2026-11-21T09:35:00.250Z", "trace": ""}], "next": null})),
        (status = 400, description = "A filter, the limit or the cursor makes no sense",
            body = Document, content_type = "application/problem+json"),
        NoJob,
    )
)]
async fn list_errors(State(room): Shared, JobPath(id): JobPath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["type", "since", "until", "cursor", "limit"]);
    let limit = query.limit();
    let skip = usize::try_from(query.row_cursor()).unwrap_or(usize::MAX);
    let wanted = AttemptQuery {
        id,
        code: query.text("type").map(str::to_owned),
        since: query.parsed("since"),
        until: query.parsed("until"),
        skip,
        limit: limit + 1,
    };
    refuse_query(query)?;
    let mut attempts = room.engine.attempts(&wanted).await?;
    if attempts.is_empty() {
        find(&room, id).await?;
    }
    let next = (attempts.len() > limit).then(|| (skip + limit).to_string());
    attempts.truncate(limit);
    Ok(reply::json(&Page { items: attempts.iter().map(Attempt::from).collect(), next }))
}
