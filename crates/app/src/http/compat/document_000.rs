//! Document 000: `/api/error_handling`, `/api/verify_status`, `/api/keyvalues`.

use std::sync::Arc;

use axum::extract::State;
use hyper::Uri;
use jobmill_model::JobId;
use jobmill_model::job::FailedAttempt;
use jobmill_store::AttemptQuery;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::jobs::find;
use crate::http::refusal::{Kind, Refusal};
use crate::http::reply::{self, Answer};
use crate::http::room::{Room, Shared};
use crate::wire::document_000::{ErrorText, FailureRow, KeyValues, StatusRow};
use crate::wire::moment::Beginning;
use crate::wire::query::Query;

/// Failed attempts are read so many at a time.
const READ_ROWS: usize = 1_000;
/// More failed attempts than this are not shown here; the canonical route has pages.
const MOST_ROWS: usize = 10_000;
const PER_PAGE: u64 = 10;
const PER_PAGE_MOST: u64 = 50;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(list_failures))
        .routes(routes!(verify_status))
        .routes(routes!(list_keyvalues))
}

/// List the errors of a job
///
/// An unknown job has none. `time_filter` is a time or the beginning of one: a full time matches
/// that second, `2023-09-01` that day.
#[utoipa::path(
    get, path = "/api/error_handling", tag = "document 000", operation_id = "list_failures",
    params(
        ("job_id" = String, Query, description = "The job's id"),
        ("error_type" = Option<String>, Query, description = "Only errors of this type"),
        ("time_filter" = Option<String>, Query, description = "Only errors of this time",
            example = "2023-09-01T12:00:00"),
    ),
    responses(
        (status = 200, description = "The errors, oldest first", body = Vec<FailureRow>,
            example = json!([{"job_id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                "error_type": "Timeout", "time_occurred": "2023-09-01T12:00:00.250Z",
                "stack_trace": "Timeout: the attempt took longer than 5m"}])),
        (status = 400, description = "No `job_id` is given", body = ErrorText,
            example = json!({"error": "Job ID is required"})),
    )
)]
async fn list_failures(State(room): Shared, uri: Uri) -> Answer {
    let query = Query::lenient(uri.query());
    let Some(id) = query.text("job_id") else {
        return Err(Refusal::new(Kind::BadQuery, "Job ID is required"));
    };
    let Ok(id) = id.parse::<JobId>() else { return Ok(reply::json(&[(); 0])) };
    let mut attempts = failures(&room, id, query.text("error_type")).await?;
    if let Some(filter) = query.text("time_filter").map(Beginning::new) {
        attempts.retain(|attempt| filter.matches(attempt.at));
    }
    let rows: Vec<_> = attempts.iter().map(|attempt| FailureRow::new(id, attempt)).collect();
    Ok(reply::json(&rows))
}

async fn failures(
    room: &Room,
    id: JobId,
    code: Option<&str>,
) -> Result<Vec<FailedAttempt>, Refusal> {
    let mut all = Vec::new();
    loop {
        let code = code.map(str::to_owned);
        let (skip, limit) = (all.len(), READ_ROWS);
        let query = AttemptQuery { id, code, since: None, until: None, skip, limit };
        let page = room.engine.attempts(&query).await?;
        let is_last = page.len() < READ_ROWS;
        all.extend(page);
        if is_last || all.len() >= MOST_ROWS {
            return Ok(all);
        }
    }
}

/// Tell where a job stands
#[utoipa::path(
    get, path = "/api/verify_status", tag = "document 000", operation_id = "verify_status",
    params(("job_id" = String, Query, description = "The job's id")),
    responses(
        (status = 200, description = "Where it stands", body = StatusRow,
            example = json!({"job_id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                "status": "pending"})),
        (status = 404, description = "No job has this id", body = ErrorText,
            example = json!({"error": "Job ID not found"})),
    )
)]
async fn verify_status(State(room): Shared, uri: Uri) -> Answer {
    let query = Query::lenient(uri.query());
    let unknown = || Refusal::new(Kind::NoJob, "Job ID not found");
    let id = query.text("job_id").and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
    match find(&room, id).await {
        Ok(job) => Ok(reply::json(&StatusRow::new(id, job.state))),
        Err(refusal) if refusal.reason().kind == Kind::NoJob => Err(unknown()),
        Err(refusal) => Err(refusal),
    }
}

/// List the entries of all results
///
/// In the order in which they were recorded. A page past the end is empty. A number that is none
/// is passed over, as the document's framework does.
#[utoipa::path(
    get, path = "/api/keyvalues", tag = "document 000", operation_id = "list_keyvalues",
    params(
        ("page" = Option<u64>, Query, description = "The page, from 1; usually 1"),
        ("per_page" = Option<u64>, Query, description = "Its rows, at most 50; usually 10"),
    ),
    responses((status = 200, description = "A page of entries", body = KeyValues,
        example = json!({"items": [{"id": 1, "key": "1 5", "value": "2 6"}], "total": 4,
            "pages": 1, "current_page": 1})))
)]
async fn list_keyvalues(State(room): Shared, uri: Uri) -> Answer {
    let query = Query::lenient(uri.query());
    let page = number(&query, "page").unwrap_or(1);
    let per_page = number(&query, "per_page").unwrap_or(PER_PAGE).min(PER_PAGE_MOST);
    let skip = (page - 1).saturating_mul(per_page);
    let limit = usize::try_from(per_page).unwrap_or(usize::MAX);
    let pairs = room.engine.pairs(skip.min(LAST_PLACE), limit).await?;
    Ok(reply::json(&KeyValues::new(pairs, page, per_page)))
}

/// Places beyond this are beyond every store's numbers.
const LAST_PLACE: u64 = i64::MAX.unsigned_abs() / 2;

/// A whole number of at least 1, if it is one.
fn number(query: &Query<'_>, name: &str) -> Option<u64> {
    query.text(name)?.trim().parse().ok().filter(|number| *number > 0)
}
