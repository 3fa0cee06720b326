//! Leases: jobs for workers in any language, and how they answer them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, HeaderValue};
use jobmill_engine::outside::{Ending, Hand, LeaseError, Lost};
use jobmill_model::fault::pointer_below;
use jobmill_model::queue::Name;
use jobmill_model::{Fault, JobId, Problem, State as JobState, Token, Value};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::described::{NoJob, NoSense, NothingDone};
use super::path::{JobPath, NamePath};
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use super::shape;
use crate::wire::id::Id;
use crate::wire::lease::{self, Call, Ended, Extended, Item, LeasedJobs};
use crate::wire::moment::Moment;
use crate::wire::page::Page;
use crate::wire::problem::Document;
use crate::wire::reader::Reader;
use crate::wire::state::Word;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(lease_jobs))
        .routes(routes!(heartbeat_job))
        .routes(routes!(heartbeat_jobs))
        .routes(routes!(report_progress))
        .routes(routes!(complete_job))
        .routes(routes!(complete_jobs))
        .routes(routes!(fail_job))
        .routes(routes!(fail_jobs))
        .routes(routes!(release_job))
}

/// Lease jobs
///
/// With `wait`, the answer comes when there is a job, or when the time is over. A caller that
/// hangs up takes no job with it.
#[utoipa::path(
    post, path = "/queues/{queue}/lease", tag = "workers", operation_id = "lease_jobs",
    params(("queue" = String, Path, description = "The queue to take jobs from")),
    request_body(content = Call, description = "Who calls, and for what",
        example = json!({"worker": "resizer-1", "flows": ["resize"], "max": 10, "wait": "20s"})),
    responses(
        (status = 200, description = "The jobs, perhaps none", body = LeasedJobs,
            example = json!({"jobs": [{"id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                "flow": "resize", "input": {"url": "a.png"}, "params": {}, "attempt": 1,
                "max_attempts": 3, "lease": {"token": 1,
                "expires_at": "2026-11-21T09:30:30.250Z"}}]})),
        (status = 422, description = "The call makes no sense, or names an unknown flow",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn lease_jobs(State(room): Shared, NamePath(queue): NamePath, posted: Posted) -> Answer {
    let queue = Name::new(&queue)
        .map_err(|error| Refusal::new(Kind::Invalid, format!("the name of the queue: {error}")))?;
    let body = posted.json().await?;
    let mut problems = Vec::new();
    let want = lease::read_call(&body, queue, &mut problems);
    let Some(want) = want.filter(|_| problems.is_empty()) else {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    };
    let hand = room.engine.lease(want).await.map_err(not_leased)?;
    Ok(handed(hand))
}

/// The answer with the jobs. They are the worker's once the connection has taken the answer on;
/// one that breaks before gives them back.
fn handed(hand: Hand) -> Response {
    let text = serde_json::to_vec(&LeasedJobs::from(hand.jobs()));
    let text = match text {
        Ok(text) => Bytes::from(text),
        Err(error) => {
            tracing::error!(%error, "leased jobs cannot be written as JSON");
            return Refusal::new(Kind::Broken, "the answer cannot be written").into_response();
        }
    };
    if hand.jobs().is_empty() {
        return reply::written(StatusCode::OK, Body::from(text));
    }
    let length = text.len();
    let body = stream::once(async move {
        hand.keep();
        Ok::<_, std::convert::Infallible>(text)
    });
    let mut response = reply::written(StatusCode::OK, Body::from_stream(body));
    // Small clients know no other measure of a body.
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn not_leased(error: LeaseError) -> Refusal {
    let (index, message) = match error {
        LeaseError::UnknownFlow { index, flow, near: Some(near) } => {
            (index, format!("unknown flow {flow:?}; did you mean {near:?}?"))
        }
        LeaseError::UnknownFlow { index, flow, near: None } => {
            (index, format!("unknown flow {flow:?}; declare it with `PUT /flows/{flow}`"))
        }
        LeaseError::NotLent { index, flow } => {
            (index, format!("the steps of flow {flow:?} are driven by the server itself"))
        }
        LeaseError::Store(error) => return error.into(),
    };
    let problem = Problem::new(pointer_below("/flows", index), message);
    Refusal::of_problems(Kind::Invalid, vec![problem])
}

/// Why something under a lease was not done, as a refusal.
pub(super) fn lost(id: JobId, lost: Lost) -> Refusal {
    match lost {
        Lost::Unknown => Refusal::no_job(),
        Lost::Unfit(fault) => {
            Refusal::of_problems(Kind::Invalid, vec![Problem::new("", fault.message)])
        }
        Lost::Ended(state) => {
            let detail = match state {
                JobState::Cancelled => "the job was cancelled; stop working on it",
                JobState::Running => {
                    "another worker has the job now, or this token never was a lease; stop \
                     working on it"
                }
                JobState::Completed => "the job is completed; stop working on it",
                JobState::Failed => "the job has failed; stop working on it",
                JobState::Submitted | JobState::Scheduled => {
                    "the lease has ended and the job waits for a worker again; stop working on it"
                }
            };
            Refusal::of_state(Kind::LeaseEnded, id, state, detail)
        }
    }
}

/// Reads the body of a request for one job, and the token of its lease.
async fn under_lease<T: Default>(
    posted: &Posted,
    fields: &[&str],
    read: impl FnOnce(&mut Reader<'_, '_>) -> T,
) -> Result<(Token, T), Refusal> {
    let header = posted.lease_token()?;
    let body = posted.json_if_any().await?;
    let mut problems = Vec::new();
    let read = Reader::object(&body, "", &mut problems).map(|mut reader| {
        reader.only(fields);
        (lease::read_token(&mut reader, header), read(&mut reader))
    });
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => Err(Refusal::of_problems(Kind::Invalid, problems)),
    }
}

/// Extend a lease
///
/// To be sent well before the lease ends. A `409` tells the worker to stop: the job was
/// cancelled, or another worker has it.
#[utoipa::path(
    post, path = "/jobs/{id}/heartbeat", tag = "workers", operation_id = "heartbeat_job",
    params(("id" = String, Path, description = "The job's id"),
        ("Lease-Token" = Option<u64>, Header, description = "The lease, if not in the body")),
    request_body(content = lease::Beat, description = "The lease"),
    responses(
        (status = 200, description = "The lease goes on", body = Extended),
        NoJob,
        (status = 409, description = "The lease has ended; `job_status` says where the job stands",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:lease-ended", "title": "Lease ended",
                "status": 409, "detail": "the job was cancelled; stop working on it",
                "id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42", "job_status": "cancelled"})),
        NoSense,
    )
)]
async fn heartbeat_job(State(room): Shared, JobPath(id): JobPath, posted: Posted) -> Answer {
    let fields = ["token", "lease"];
    let read = |reader: &mut Reader<'_, '_>| lease::read_span(reader, "lease");
    let (token, span) = under_lease(&posted, &fields, read).await?;
    let ends = room.engine.heartbeat(vec![(id, token, span)]).await?;
    Ok(reply::json(&Extended::new(id, only(id, ends)?)))
}

/// Extend many leases
///
/// One commit; each is answered for itself, in the same order.
#[utoipa::path(
    post, path = "/jobs/heartbeat", tag = "workers", operation_id = "heartbeat_jobs",
    request_body(content = Vec<lease::Beat>, description = "The leases, at most 1,000"),
    responses(
        (status = 200, description = "What became of each", body = Page<Item>),
        NothingDone,
    )
)]
async fn heartbeat_jobs(State(room): Shared, posted: Posted) -> Answer {
    let read =
        |reader: &mut Reader<'_, '_>, id, token| (id, token, lease::read_span(reader, "lease"));
    let beats = batch(&posted, &["id", "token", "lease"], read).await?;
    let ids: Vec<_> = beats.iter().map(|(id, ..)| *id).collect();
    let ends = room.engine.heartbeat(beats).await?;
    Ok(each(&ids, ends, |id, end| Item {
        id: Id(id),
        status: None,
        expires_at: Some(Moment(end)),
        error: None,
    }))
}

/// Report progress
///
/// It is a heartbeat too.
#[utoipa::path(
    post, path = "/jobs/{id}/progress", tag = "workers", operation_id = "report_progress",
    params(("id" = String, Path, description = "The job's id"),
        ("Lease-Token" = Option<u64>, Header, description = "The lease, if not in the body")),
    request_body(content = lease::Report, description = "How far the job has come"),
    responses(
        (status = 200, description = "It is recorded and the lease goes on", body = Extended),
        NoJob,
        (status = 409, description = "The lease has ended",
            body = Document, content_type = "application/problem+json"),
        NoSense,
    )
)]
async fn report_progress(State(room): Shared, JobPath(id): JobPath, posted: Posted) -> Answer {
    let fields = ["token", "done", "total", "message"];
    let (token, progress) = under_lease(&posted, &fields, lease::read_progress).await?;
    let end = room.engine.progress(id, token, progress).await?.map_err(|it| lost(id, it))?;
    Ok(reply::json(&Extended::new(id, end)))
}

/// Complete a job
///
/// When the answer comes, the result is on disk. A worker that did not hear the answer may ask
/// again.
#[utoipa::path(
    post, path = "/jobs/{id}/complete", tag = "workers", operation_id = "complete_job",
    params(("id" = String, Path, description = "The job's id"),
        ("Lease-Token" = Option<u64>, Header, description = "The lease, if not in the body")),
    request_body(content = lease::Completion, description = "The result"),
    responses(
        (status = 200, description = "The job is completed", body = Ended),
        NoJob,
        (status = 409, description = "The lease has ended; the result is refused",
            body = Document, content_type = "application/problem+json"),
        NoSense,
    )
)]
async fn complete_job(room: Shared, JobPath(id): JobPath, posted: Posted) -> Answer {
    finish_one(room, id, &posted, &["token", "result"], lease::read_result).await
}

/// Complete many jobs
///
/// One commit; each is answered for itself, in the same order.
#[utoipa::path(
    post, path = "/jobs/complete", tag = "workers", operation_id = "complete_jobs",
    request_body(content = Vec<lease::Completion>, description = "The results, at most 1,000"),
    responses(
        (status = 200, description = "What became of each", body = Page<Item>),
        NothingDone,
    )
)]
async fn complete_jobs(room: Shared, posted: Posted) -> Answer {
    finish_many(room, &posted, &["id", "token", "result"], lease::read_result).await
}

/// Fail an attempt
///
/// With tries left, the job is `scheduled` for the next one, after its backoff or after
/// `retry_after` if that is longer.
#[utoipa::path(
    post, path = "/jobs/{id}/fail", tag = "workers", operation_id = "fail_job",
    params(("id" = String, Path, description = "The job's id"),
        ("Lease-Token" = Option<u64>, Header, description = "The lease, if not in the body")),
    request_body(content = lease::Failing, description = "What went wrong",
        example = json!({"token": 1, "retry_after": "30s",
            "error": {"type": "Busy", "message": "the other side asks to wait"}})),
    responses(
        (status = 200, description = "It is recorded", body = Ended),
        NoJob,
        (status = 409, description = "The lease has ended; nothing is recorded",
            body = Document, content_type = "application/problem+json"),
        NoSense,
    )
)]
async fn fail_job(room: Shared, JobPath(id): JobPath, posted: Posted) -> Answer {
    let fields = ["token", "error", "retry", "retry_after"];
    finish_one(room, id, &posted, &fields, lease::read_failure).await
}

/// Fail many attempts
///
/// One commit; each is answered for itself, in the same order.
#[utoipa::path(
    post, path = "/jobs/fail", tag = "workers", operation_id = "fail_jobs",
    request_body(content = Vec<lease::Failing>, description = "The failures, at most 1,000"),
    responses(
        (status = 200, description = "What became of each", body = Page<Item>),
        NothingDone,
    )
)]
async fn fail_jobs(room: Shared, posted: Posted) -> Answer {
    let fields = ["id", "token", "error", "retry", "retry_after"];
    finish_many(room, &posted, &fields, lease::read_failure).await
}

/// Hand a job back
///
/// For a worker that stops: the job waits for the next worker, and no try is counted.
#[utoipa::path(
    post, path = "/jobs/{id}/release", tag = "workers", operation_id = "release_job",
    params(("id" = String, Path, description = "The job's id"),
        ("Lease-Token" = Option<u64>, Header, description = "The lease, if not in the body")),
    request_body(content = lease::TokenOnly, description = "The lease"),
    responses(
        (status = 200, description = "The job waits for the next worker", body = Ended),
        NoJob,
        (status = 409, description = "The lease has ended",
            body = Document, content_type = "application/problem+json"),
        NoSense,
    )
)]
async fn release_job(State(room): Shared, JobPath(id): JobPath, posted: Posted) -> Answer {
    let (token, ()) = under_lease(&posted, &["token"], |_| ()).await?;
    let released = room.engine.release(vec![(id, token)]).await?;
    only(id, released)?;
    Ok(reply::json(&Ended::new(id, JobState::Submitted)))
}

type ReadOutcome = fn(&mut Reader<'_, '_>) -> Result<Value, Fault>;

async fn finish_one(
    State(room): Shared,
    id: JobId,
    posted: &Posted,
    fields: &[&str],
    read: ReadOutcome,
) -> Answer {
    let read = |reader: &mut Reader<'_, '_>| Some(read(reader));
    let (token, outcome) = under_lease(posted, fields, read).await?;
    let outcome = outcome.unwrap_or(Ok(Value::Null));
    let finished = room.engine.finish(vec![Ending { id, token, outcome }]).await?;
    Ok(reply::json(&Ended::new(id, only(id, finished)?)))
}

async fn finish_many(
    State(room): Shared,
    posted: &Posted,
    fields: &[&str],
    read: ReadOutcome,
) -> Answer {
    let read = |reader: &mut Reader<'_, '_>, id, token| Ending { id, token, outcome: read(reader) };
    let endings = batch(posted, fields, read).await?;
    let ids: Vec<_> = endings.iter().map(|ending| ending.id).collect();
    let finished = room.engine.finish(endings).await?;
    Ok(each(&ids, finished, |id, state| Item {
        id: Id(id),
        status: Some(Word(state)),
        expires_at: None,
        error: None,
    }))
}

/// The answer to a request for one job.
fn only<T>(id: JobId, answers: Vec<Result<T, Lost>>) -> Result<T, Refusal> {
    let answer = answers.into_iter().next().unwrap_or(Err(Lost::Unknown));
    answer.map_err(|reason| lost(id, reason))
}

/// Reads a list of requests, each with its job and its lease.
async fn batch<T>(
    posted: &Posted,
    fields: &[&str],
    read: impl FnMut(&mut Reader<'_, '_>, JobId, Token) -> T,
) -> Result<Vec<T>, Refusal> {
    let body = posted.json().await?;
    let mut problems = Vec::new();
    let batch = lease::read_batch(&body, fields, &mut problems, read);
    if problems.is_empty() { Ok(batch) } else { Err(Refusal::of_problems(Kind::Invalid, problems)) }
}

/// The answers to a list of requests, in its order.
fn each<T>(
    ids: &[JobId],
    answers: Vec<Result<T, Lost>>,
    done: impl Fn(JobId, T) -> Item<'static>,
) -> Response {
    let answers: Vec<_> = ids
        .iter()
        .zip(answers)
        .map(|(id, answer)| answer.map_err(|reason| lost(*id, reason)))
        .collect();
    let mut items = Vec::with_capacity(ids.len());
    let mut refusals = Vec::new();
    for (id, answer) in ids.iter().zip(answers) {
        match answer {
            Ok(answer) => items.push(done(*id, answer)),
            Err(refusal) => {
                refusals.push((items.len(), refusal));
                items.push(Item { id: Id(*id), status: None, expires_at: None, error: None });
            }
        }
    }
    with_refusals(items, &refusals, ids.len())
}

fn with_refusals<'a>(
    mut items: Vec<Item<'a>>,
    refusals: &'a [(usize, Refusal)],
    count: usize,
) -> Response {
    for (index, refusal) in refusals {
        items[*index].error = Some(shape::document(refusal.reason()));
    }
    reply::sized(StatusCode::OK, &Page::whole(items), count * 96 + 64)
}
