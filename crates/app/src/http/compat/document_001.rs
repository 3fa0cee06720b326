//! Document 001: `/expand_reduce_flow/`, `/check_status/{job_id}`, `/job_result/{job_id}`.

use std::sync::Arc;

use axum::extract::State;
use jobmill_model::output::{Extent, Shape};
use jobmill_model::{Problem, Span};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::document_002;
use crate::http::body::Posted;
use crate::http::jobs::find;
use crate::http::path::JobPath;
use crate::http::refusal::{Kind, Refusal};
use crate::http::reply::{self, Answer};
use crate::http::results::{Frame, send, standing};
use crate::http::room::{Room, Shared};
use crate::wire::document_001::{self, Accepted, Outcome, Refused, Status, Submission};
use crate::wire::id::Id;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(submit_expand_reduce))
        .routes(routes!(check_status))
        .routes(routes!(get_job_result))
}

/// Submit an expand-reduce job
///
/// The objects of `input_data` are put together, in order, into one root. A key that appears
/// twice keeps its later value, and the job carries a warning.
#[utoipa::path(
    post, path = "/expand_reduce_flow/", tag = "document 001",
    operation_id = "submit_expand_reduce",
    request_body(content = Submission, description = "The job",
        example = json!({"job": {"input_data": [{"key1": "value1"}, {"key2": "value2"}]}})),
    responses(
        (status = 200, description = "Accepted: the job is on disk", body = Accepted,
            example = json!({"job_id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42"})),
        (status = 422, description = "Everything that is wrong", body = Refused,
            example = json!({"detail": [{"type": "value_error",
                "loc": ["body", "job", "input_data", 0],
                "msg": "expected an object, got a string"}]})),
    )
)]
async fn submit_expand_reduce(State(room): Shared, posted: Posted) -> Answer {
    let body = posted.json().await?;
    let now = room.engine.now();
    let route = "POST /expand_reduce_flow/";
    let idempotency = posted.idempotency(route, || body.to_string(), now)?;
    let mut problems = Vec::new();
    let job = match document_001::read(&body, &mut problems) {
        Some(job) if problems.is_empty() => job,
        _ => return Err(Refusal::of_problems(Kind::Invalid, problems)),
    };
    let submitted = room.engine.submit(vec![job], idempotency).await;
    let jobs = submitted.map_err(|error| Refusal::of_submission(error, place))?;
    match jobs.first() {
        Some(job) => Ok(reply::json(&Accepted { job_id: Id(job.id) })),
        None => Err(Refusal::new(Kind::Broken, "the job was stored but is not shown")),
    }
}

/// The root is put together from `input_data`.
fn place(_: usize, problem: Problem) -> Problem {
    Problem { pointer: "/job/input_data".to_owned(), ..problem }
}

/// Tell where a job stands
///
/// Of document 002's workflow the state document comes with it, if there is one yet.
#[utoipa::path(
    get, path = "/check_status/{job_id}", tag = "document 001", operation_id = "check_status",
    params(("job_id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "Where it stands", body = Status,
            example = json!({"job_id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                "status": "processing"})),
        (status = 404, description = "No job has this id", body = Refused,
            example = json!({"detail": "Job not found: no job has this id"})),
    )
)]
async fn check_status(State(room): Shared, JobPath(id): JobPath) -> Answer {
    let job = find(&room, id).await?;
    let status = Status::of(&job);
    match document_002::owns(&job) {
        true => Ok(reply::json(&status.with_state(document_002::state(&room, &job).await?))),
        false => Ok(reply::json(&status)),
    }
}

/// Get the result of a job
///
/// The result is always a list. While there is none, the status comes alone; of a failed job the
/// error comes with it.
#[utoipa::path(
    get, path = "/job_result/{job_id}", tag = "document 001", operation_id = "get_job_result",
    params(("job_id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The status and, of a completed job, the result",
            body = Outcome,
            example = json!({"job_id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                "status": "completed", "result": [{"key1 key2": "value1 value2"}]})),
        (status = 404, description = "No job has this id", body = Refused),
    )
)]
async fn get_job_result(State(room): Shared, JobPath(id): JobPath) -> Answer {
    let found = standing(&room, id, Span::ZERO).await?;
    let Some(extent) = found.extent else {
        return Ok(reply::json(&Status::without_result(&found.job)));
    };
    let mut frame = Frame { head: Status::head(id), tail: "}" };
    if !is_list(&room, &found.job, extent).await? {
        frame.head.push('[');
        frame.tail = "]}";
    }
    send(&room.engine, &found.job, extent, frame).await
}

/// Whether a result is a list already.
async fn is_list(room: &Room, job: &jobmill_model::Job, extent: Extent) -> Result<bool, Refusal> {
    if extent.shape == Shape::Object {
        return Ok(false);
    }
    let first = room.engine.output(job.id, 0, 1).await?;
    Ok(first.first().is_some_and(|chunk| chunk.text.starts_with('[')))
}
