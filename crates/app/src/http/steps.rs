//! `/jobs/{id}/steps`: the way of an execution through its workflow.

use std::sync::Arc;

use axum::extract::State;
use hyper::Uri;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::{NoJob, NoSuchPage};
use super::jobs::refuse_query;
use super::path::JobPath;
use super::refusal::Refusal;
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::query::Query;
use crate::wire::step::{self, Step, Steps};

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(list_steps))
}

/// List the steps of an execution
///
/// The steps of the present run in the order in which they began, the first 10,000 of them.
/// Nothing is stored for it: the run's journal is folded again, which takes the time that its
/// steps took to compute, without its calls and sleeps. So times are those of the outcomes between
/// the steps. A run that has ended keeps a journal of up to 10,000 outcomes and 2 MiB.
#[utoipa::path(
    get, path = "/jobs/{id}/steps", tag = "jobs", operation_id = "list_steps",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("variables" = Option<bool>, Query,
            description = "Whether to show the variables as each step found them, up to 64 KiB \
                each and 4 MiB in all"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of steps", body = Steps,
            example = json!({"items": [{"number": 1, "routine": "main", "step": "charge",
                "kind": "STD_LIB_CALL", "state": "succeeded", "branch": 0, "parent": null,
                "started_at": "2026-11-21T09:30:00.250Z", "ended_at": "2026-11-21T09:30:01.000Z",
                "error": null}], "next": null, "total": 1, "kept": "whole"})),
        NoSuchPage,
        NoJob,
    )
)]
async fn list_steps(State(room): Shared, JobPath(id): JobPath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["variables", "cursor", "limit"]);
    let limit = query.limit();
    let skip = usize::try_from(query.row_cursor()).unwrap_or(usize::MAX);
    let variables = query.switch("variables").then_some((skip, limit));
    refuse_query(query)?;
    let told = room.engine.history(id, variables).await?.ok_or_else(Refusal::no_job)?;
    let steps = &told.history.steps;
    let rows = steps.iter().enumerate().skip(skip).take(limit);
    let items: Vec<Step<'_>> = rows.map(|(place, entry)| Step::new(place, entry)).collect();
    let end = skip.saturating_add(items.len());
    Ok(reply::json(&Steps {
        next: (end < steps.len()).then(|| end.to_string()),
        items,
        total: told.history.count,
        kept: step::kept(told.kept),
    }))
}
