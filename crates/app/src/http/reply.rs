//! Answers of JSON.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use jobmill_engine::Submitted;
use jobmill_model::{Job as Model, JobId};
use serde::Serialize;

use super::refusal::{Kind, Refusal};
use crate::wire::batch::Batch;
use crate::wire::job::Job;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Refusal>;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// An answer of JSON, with room for about `bytes` of it.
pub(crate) fn sized(status: StatusCode, value: &impl Serialize, bytes: usize) -> Response {
    let mut text = Vec::with_capacity(bytes);
    if let Err(error) = serde_json::to_writer(&mut text, value) {
        tracing::error!(%error, "an answer cannot be written as JSON");
        return Refusal::new(Kind::Broken, "the answer cannot be written").into_response();
    }
    written(status, Body::from(text))
}

/// An answer of JSON.
pub(crate) fn json(value: &impl Serialize) -> Response {
    sized(StatusCode::OK, value, 512)
}

/// An answer of JSON that is written already. What it tells may change at any time.
pub(crate) fn written(status: StatusCode, text: Body) -> Response {
    let mut response = Response::new(text);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}

/// A job as an answer.
pub(crate) fn job(job: &Model) -> Response {
    sized(StatusCode::OK, &Job::from(job), job_bytes(job))
}

/// A job that is accepted, and where to find it.
pub(crate) fn accepted(job: &Model) -> Response {
    located(StatusCode::ACCEPTED, job.id, &Job::from(job), job_bytes(job))
}

/// What became of a submission, and where to find the job.
pub(crate) fn submitted(submitted: &Submitted) -> Response {
    let status = if submitted.known { StatusCode::OK } else { StatusCode::ACCEPTED };
    let job = &submitted.job;
    located(status, job.id, &Job::from(submitted), job_bytes(job))
}

/// A batch, and where to find it where it is new.
pub(crate) fn batch(status: StatusCode, callback: &Model, batch: &Batch<'_>) -> Response {
    let mut response = sized(status, batch, job_bytes(callback) + 128);
    if status == StatusCode::ACCEPTED
        && let Ok(location) = HeaderValue::try_from(format!("/batches/{}", callback.id))
    {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn located(status: StatusCode, id: JobId, job: &Job<'_>, bytes: usize) -> Response {
    let mut response = sized(status, job, bytes);
    response.headers_mut().insert(LOCATION, location(id));
    response
}

/// About how long the text of a job is.
pub(crate) fn job_bytes(job: &Model) -> usize {
    640 + job.input.as_str().len() * 2 + job.params.as_str().len()
}

fn location(id: JobId) -> HeaderValue {
    let mut text = *b"/jobs/xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    let mut buffer = [0; 36];
    text[6..].copy_from_slice(id.encode(&mut buffer).as_bytes());
    HeaderValue::from_bytes(&text).expect("an id is printable ASCII")
}

/// Text of a fixed kind, such as a page.
pub(crate) fn text(
    kind: &'static str,
    text: &'static str,
    extra: &[(HeaderName, &'static str)],
) -> Response {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    for (name, value) in extra {
        headers.insert(name.clone(), HeaderValue::from_static(value));
    }
    response
}
