//! `/jobs/{id}/results`: the outcome of a job, chunk by chunk.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use hyper::{StatusCode, Uri};
use jobmill_engine::{Engine, Standing, UploadError};
use jobmill_flow::output::Joined;
use jobmill_model::output::Extent;
use jobmill_model::{Job, JobId, Span, State as JobState};
use jobmill_store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Streamed, throw_away};
use super::described::NoJob;
use super::jobs::refuse_query;
use super::leases::lost;
use super::path::JobPath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared, until_closing};
use crate::wire::lease::Ended;
use crate::wire::problem::Document;
use crate::wire::query::Query;
use crate::wire::result::Outcome;

/// How much of a result is read at once. What fits is answered whole, with its length.
const READ_BYTES: usize = 256 * 1024;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(get_results)).routes(routes!(get_result, put_result))
}

/// Get the outcome of a job
///
/// A large result is streamed. With `wait`, the answer comes when the job has ended, or when the
/// time is over.
#[utoipa::path(
    get, path = "/jobs/{id}/results", tag = "jobs", operation_id = "get_results",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("wait" = Option<String>, Query, description = "Wait so long for its end, at most 60s",
            example = "30s"),
    ),
    responses(
        (status = 200, description = "The outcome: `result` of a completed job, else `error`",
            body = Outcome,
            examples(
                ("completed" = (value = json!({"id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                    "status": "completed", "result": {"1 3": "2 4"}}))),
                ("failed" = (value = json!({"id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                    "status": "failed", "error": {"type": "Timeout",
                        "message": "the attempt took longer than 5m"}}))))),
        NoJob,
        (status = 409, description = "It is not finished; `job_status` says where it stands",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:not-finished", "title": "Not finished",
                "status": 409, "detail": "the job is running",
                "id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42", "job_status": "running"})),
    )
)]
async fn get_results(State(room): Shared, JobPath(id): JobPath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["wait"]);
    let wait = query.wait();
    refuse_query(query)?;
    let Standing { job, extent } = finished(&room, id, wait).await?;
    match extent {
        Some(extent) => send(&room.engine, &job, extent, Frame::of(&job)).await,
        None => Ok(reply::json(&Outcome::without_result(&job))),
    }
}

/// Get the outcome of a job, by its other name
///
/// The same as `/jobs/{id}/results`.
#[utoipa::path(
    get, path = "/jobs/{id}/result", tag = "jobs", operation_id = "get_result",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("wait" = Option<String>, Query, description = "Wait so long for its end, at most 60s"),
    ),
    responses(
        (status = 200, description = "The outcome", body = Outcome),
        NoJob,
        (status = 409, description = "It is not finished",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn get_result(state: Shared, id: JobPath, uri: Uri) -> Answer {
    get_results(state, id, uri).await
}

/// Complete a job with a result of any size
///
/// The body is the result. It is read as it arrives and may be larger than other bodies, but not
/// an entry of it; keys of an object must differ. When the answer comes, the result is on disk; a
/// worker whose connection broke sends all of it again.
#[utoipa::path(
    put, path = "/jobs/{id}/result", tag = "workers", operation_id = "put_result",
    params(("id" = String, Path, description = "The job's id"),
        ("Lease-Token" = u64, Header, description = "The lease")),
    request_body(content = Value, description = "The result, any JSON of at most 4 GiB"),
    responses(
        (status = 200, description = "The job is completed", body = Ended),
        NoJob,
        (status = 409, description = "The lease has ended, or another result of the job is being \
            sent",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "The body is not JSON, or too large; its place is named",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn put_result(State(room): Shared, JobPath(id): JobPath, sent: Streamed) -> Answer {
    let Streamed { token, mut pieces } = sent;
    match room.engine.complete_with(id, token, &mut pieces).await {
        Ok(state) => Ok(reply::json(&Ended::new(id, state))),
        Err(error) => {
            throw_away(&mut pieces).await;
            Err(match error {
                UploadError::Lost(reason) => lost(id, reason),
                UploadError::Text(refusal) => refusal,
                UploadError::Store(error) => error.into(),
                UploadError::UnderWay => {
                    Refusal::new(Kind::TooMany, "another result of this job is being sent")
                }
            })
        }
    }
}

/// The job and its result's measure, once it has ended.
pub(crate) async fn finished(room: &Room, id: JobId, wait: Span) -> Result<Standing, Refusal> {
    let standing = standing(room, id, wait).await?;
    let state = standing.job.state;
    if !state.is_final() {
        let detail = format!("the job is {state}");
        return Err(Refusal::of_state(Kind::NotFinished, id, state, detail));
    }
    if state == JobState::Completed && standing.extent.is_none() {
        return Err(Refusal::new(Kind::Broken, "the result of this completed job is missing"));
    }
    Ok(standing)
}

/// The job and its result's measure as they are, after waiting for its end; a closing server
/// does not go on waiting.
pub(crate) async fn standing(room: &Room, id: JobId, wait: Span) -> Result<Standing, Refusal> {
    let engine = &room.engine;
    let standing = if wait == Span::ZERO {
        engine.standing(id, wait).await?
    } else {
        tokio::select! {
            standing = engine.standing(id, wait) => standing?,
            () = until_closing(room.closing.clone()) => engine.standing(id, Span::ZERO).await?,
        }
    };
    standing.ok_or_else(Refusal::no_job)
}

/// What stands before and after a result.
pub(crate) struct Frame {
    pub(crate) head: String,
    pub(crate) tail: &'static str,
}

impl Frame {
    fn of(job: &Job) -> Self {
        Self { head: Outcome::head(job), tail: "}" }
    }
}

/// Sends a result within its frame: whole if it is small, else as it is read.
pub(crate) async fn send(engine: &Engine, job: &Job, extent: Extent, frame: Frame) -> Answer {
    let (first, reading) = Reading::begin(engine, job.id, extent, frame).await?;
    Ok(match reading {
        None => reply::written(StatusCode::OK, Body::from(first)),
        Some(reading) => streamed(first, reading),
    })
}

fn streamed(first: Bytes, reading: Reading) -> Response {
    let pieces =
        stream::try_unfold((Some(first), Some(reading)), async |(first, reading)| {
            match (first, reading) {
                (Some(piece), reading) => Ok(Some((piece, (None, reading)))),
                (None, Some(reading)) => {
                    let (piece, reading) = reading.next().await?;
                    Ok(Some((piece, (None, reading))))
                }
                (None, None) => Ok::<_, StoreError>(None),
            }
        });
    reply::written(StatusCode::OK, Body::from_stream(pieces))
}

/// A result that is being read.
struct Reading {
    engine: Engine,
    id: JobId,
    extent: Extent,
    joined: Joined,
    tail: &'static str,
    from: u64,
}

impl Reading {
    /// The first piece and, if there is more, how to go on.
    async fn begin(
        engine: &Engine,
        id: JobId,
        extent: Extent,
        frame: Frame,
    ) -> Result<(Bytes, Option<Self>), StoreError> {
        let Frame { head, tail } = frame;
        let joined = Joined::new(extent.shape);
        let reading = Self { engine: engine.clone(), id, extent, joined, tail, from: 0 };
        reading.read_into(head).await
    }

    async fn next(self) -> Result<(Bytes, Option<Self>), StoreError> {
        self.read_into(String::new()).await
    }

    async fn read_into(mut self, mut text: String) -> Result<(Bytes, Option<Self>), StoreError> {
        if self.from < self.extent.len {
            let chunks = self.engine.output(self.id, self.from, READ_BYTES).await?;
            let Some(last) = chunks.last() else {
                return Err(StoreError::Broken(format!("chunks of job {} are missing", self.id)));
            };
            text.reserve(chunks.iter().map(|chunk| chunk.text.len() + 1).sum::<usize>() + 8);
            self.from = last.first + last.len;
            for chunk in &chunks {
                self.joined.pieces(&chunk.text).iter().for_each(|piece| text.push_str(piece));
            }
        }
        if self.from < self.extent.len {
            return Ok((text.into(), Some(self)));
        }
        text.push_str(self.joined.end());
        text.push_str(self.tail);
        Ok((text.into(), None))
    }
}
