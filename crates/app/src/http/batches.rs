//! `/batches`: jobs that belong together, and one that begins when all of them have ended.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use jobmill_model::fault::pointer_below;
use jobmill_model::job::{Children, NewJob};
use jobmill_model::{Problem, Value, limits};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::jobs::{read_job, whole_body};
use super::path::JobPath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::batch::{Batch, NewBatch};
use crate::wire::problem::Document;
use crate::wire::reader::{MOST_PROBLEMS, Reader, expected};

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(submit_batch)).routes(routes!(get_batch))
}

/// Submit a batch
///
/// Jobs that belong together, and a callback: one more job, which begins when all of them have
/// ended, however. All are accepted in one commit, or none. The batch has the id of its callback,
/// the jobs are its children: `GET /jobs?parent=` lists them, and cancelling it cancels them.
#[utoipa::path(
    post, path = "/batches", tag = "jobs", operation_id = "submit_batch",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same body gives the same batch")),
    request_body(content = NewBatch, description = "The jobs and the callback",
        example = json!({"jobs": [{"flow": "range_report", "input": {"start": 1, "end": 9}}],
            "callback": {"flow": "range_report", "input": {"start": 1, "end": 2}}})),
    responses(
        (status = 202, description = "Accepted: all jobs are on disk", body = Batch,
            headers(("Location" = String, description = "Where the batch can be read"))),
        (status = 422, description = "Everything that is wrong, with its place; nothing is stored",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn submit_batch(State(room): Shared, posted: Posted) -> Answer {
    let body = posted.json().await?;
    let now = room.engine.now();
    let idempotency = posted.idempotency("POST /batches", || body.to_string(), now)?;
    let (jobs, callback) = read(&room, &body)?;
    let total = jobs.len() as u64;
    let bare: Vec<bool> = jobs.iter().map(|job| job.spec.bare).collect();
    let place = |index: usize, problem| match index.checked_sub(1) {
        None => below("/callback", problem),
        Some(index) => {
            let problem = if bare[index] { whole_body(problem) } else { problem };
            below(&format!("/jobs/{index}"), problem)
        }
    };
    let submitted = room.engine.submit_batch(jobs, callback, idempotency).await;
    let submitted = submitted.map_err(|error| Refusal::of_submission(error, place))?;
    let callback = submitted
        .first()
        .ok_or_else(|| Refusal::new(Kind::Broken, "the batch was stored but is not shown"))?;
    let batch = Batch::new(callback, Children { total, ..Children::default() });
    Ok(reply::batch(StatusCode::ACCEPTED, callback, &batch))
}

/// Reads the jobs and the callback, with everything that is wrong with them.
fn read(room: &Room, body: &Value) -> Result<(Vec<NewJob>, NewJob), Refusal> {
    let mut problems = Vec::new();
    let (mut jobs, mut callback) = (None, None);
    if let Some(mut reader) = Reader::object(body, "", &mut problems) {
        reader.only(&["jobs", "callback"]);
        (jobs, callback) = (reader.value("jobs"), reader.value("callback"));
        match jobs.map(|jobs| jobs.as_list().ok_or(jobs)) {
            None => reader.refuse("jobs", "expected a list of jobs"),
            Some(Err(other)) => reader.refuse("jobs", expected("a list of jobs", other)),
            Some(Ok([])) => reader.refuse("jobs", "expected at least one job"),
            Some(Ok(list)) if list.len() > limits::BULK_JOBS => {
                let most = limits::BULK_JOBS;
                reader.refuse("jobs", format!("at most {most} jobs, got {}", list.len()));
            }
            Some(Ok(_)) => {}
        }
        if callback.is_none() {
            reader.refuse("callback", "expected the job to begin when all have ended");
        }
    }
    let (Some(Value::List(list)), Some(callback), true) = (jobs, callback, problems.is_empty())
    else {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    };
    let not_given = ["unique", "parent"];
    let callback =
        part(room, callback, "/callback", &["delay", "run_at", "unique", "parent"], &mut problems);
    let mut jobs = Vec::with_capacity(list.len());
    for (index, body) in list.iter().enumerate() {
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
        jobs.push(part(room, body, &format!("/jobs/{index}"), &not_given, &mut problems));
    }
    match problems.is_empty() {
        true => Ok((jobs, callback)),
        false => Err(Refusal::of_problems(Kind::Invalid, problems)),
    }
}

/// One job of a batch, in which some fields make no sense.
fn part(
    room: &Room,
    body: &Value,
    pointer: &str,
    senseless: &[&str],
    problems: &mut Vec<Problem>,
) -> NewJob {
    let (job, found) = read_job(room, body);
    let given = |field: &&&str| {
        let value = body.as_map().and_then(|map| map.get(field));
        !job.spec.bare && value.is_some_and(|value| *value != Value::Null)
    };
    let senseless = senseless.iter().filter(given);
    problems.extend(
        senseless
            .map(|field| Problem::new(pointer_below(pointer, field), "makes no sense in a batch")),
    );
    problems.extend(found.into_iter().map(|problem| below(pointer, problem)));
    job
}

fn below(pointer: &str, problem: Problem) -> Problem {
    Problem { pointer: format!("{pointer}{}", problem.pointer), ..problem }
}

/// Get a batch
///
/// With how many of its jobs have ended, and how. Jobs that were deleted are not counted.
#[utoipa::path(
    get, path = "/batches/{id}", tag = "jobs", operation_id = "get_batch",
    params(("id" = String, Path, description = "The batch's id")),
    responses(
        (status = 200, description = "The batch as it stands", body = Batch),
        (status = 404, description = "No batch has this id",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn get_batch(State(room): Shared, JobPath(id): JobPath) -> Answer {
    let batch = room.engine.batch(id).await?.ok_or_else(Refusal::no_job)?;
    Ok(reply::batch(StatusCode::OK, &batch.0, &Batch::new(&batch.0, batch.1)))
}
