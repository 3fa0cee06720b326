//! `/jobs/{id}/events` and `/events`: what happens to jobs, as server-sent events.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Uri};
use jobmill_engine::{Position, Scope, Watch};
use jobmill_model::{Problem, Span};
use jobmill_store::JobQuery;
use tokio::sync::OwnedSemaphorePermit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::described::NoJob;
use super::jobs::refuse_query;
use super::path::JobPath;
use super::refusal::{Kind, Refusal};
use super::reply::Answer;
use super::room::{Room, Shared};
use crate::wire::event;
use crate::wire::problem::Document;
use crate::wire::query::Query;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(list_job_events)).routes(routes!(list_events))
}

/// Follow a job
///
/// Server-sent events: first the job as it stands, then each change of its state (`state`) and of
/// its progress (`progress`); many changes in a moment are one event, with the latest of all. The
/// stream ends with `end` when the job has ended.
#[utoipa::path(
    get, path = "/jobs/{id}/events", tag = "events", operation_id = "list_job_events",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("Last-Event-ID" = Option<String>, Header,
            description = "The last `id` that was received; the stream goes on from there"),
    ),
    responses(
        (status = 200, description = "A stream of events", body = String,
            content_type = "text/event-stream",
            example = "id: 0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42.17.1795251000250\nevent: state\n\
                data: {\"id\":\"0190d5a4-7b3c-7def-8a11-2f6d1c0e9b43\",\"status\":\"running\"}\n\n"),
        (status = 400, description = "`Last-Event-ID` is none",
            body = Document, content_type = "application/problem+json"),
        NoJob,
        (status = 503, description = "Too many streams are open, or the server is shutting down",
            body = Document, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds to wait"))),
    )
)]
async fn list_job_events(
    State(room): Shared,
    JobPath(id): JobPath,
    uri: Uri,
    headers: HeaderMap,
) -> Answer {
    refuse_query(Query::new(uri.query(), &[]))?;
    begin(&room, Scope::Job(id), &headers).await
}

/// Follow all jobs
///
/// Server-sent events of every job that matches. The first event, `open`, carries the place from
/// which on everything is told. After `Last-Event-ID` the stream goes on from there; where that is
/// too long ago, or the reader was too slow, `resync` is followed by every job that may have
/// changed since, and by `synced`: the latest state of everything is told, not every change.
#[utoipa::path(
    get, path = "/events", tag = "events", operation_id = "list_events",
    params(
        ("status" = Option<String>, Query,
            description = "Only jobs that are in this state then; several with commas"),
        ("flow" = Option<String>, Query, description = "Only jobs of this flow"),
        ("queue" = Option<String>, Query, description = "Only jobs of this queue"),
        ("tag" = Option<String>, Query, description = "Only jobs with this tag"),
        ("Last-Event-ID" = Option<String>, Header,
            description = "The last `id` that was received; the stream goes on from there"),
    ),
    responses(
        (status = 200, description = "A stream of events", body = String,
            content_type = "text/event-stream",
            example = "id: 0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42.17.1795251000250\nevent: open\n\
                data: {}\n\n"),
        (status = 400, description = "A filter or `Last-Event-ID` makes no sense",
            body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Too many streams are open, or the server is shutting down",
            body = Document, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds to wait"))),
    )
)]
async fn list_events(State(room): Shared, uri: Uri, headers: HeaderMap) -> Answer {
    let mut query = Query::new(uri.query(), &["status", "flow", "queue", "tag"]);
    let wanted = JobQuery {
        states: query.every("status"),
        flow: query.name("flow"),
        queue: query.name("queue"),
        tag: query.name("tag"),
        ..JobQuery::default()
    };
    refuse_query(query)?;
    begin(&room, Scope::Matching(wanted), &headers).await
}

async fn begin(room: &Room, scope: Scope, headers: &HeaderMap) -> Answer {
    let from = last_event(headers)?;
    if room.engine.is_draining() {
        return Err(jobmill_store::StoreError::Closed.into());
    }
    let place = room.streams.clone().try_acquire_owned().map_err(|_| {
        let text = "as many event streams are open as this server keeps; close one, or ask for \
                    `GET /jobs/{id}/results?wait=30s`";
        Refusal::new(Kind::Busy, text).after(Span::from_secs(5))
    })?;
    let watch = room.engine.watch(scope, from).await?.ok_or_else(Refusal::no_job)?;
    Ok(streamed(watch, place))
}

/// Where the reader was before; a browser sends an empty one when it has none.
fn last_event(headers: &HeaderMap) -> Result<Option<Position>, Refusal> {
    let Some(value) = headers.get("last-event-id").filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let read = value.to_str().unwrap_or_default().parse::<Position>();
    read.map(Some).map_err(|message| {
        Refusal::of_problems(Kind::BadHeader, vec![Problem::new("Last-Event-ID", message)])
    })
}

/// Tells a browser how long to wait before it comes again.
const GREETING: &str = "retry: 2000\n\n";

fn streamed(watch: Watch, place: OwnedSemaphorePermit) -> Response {
    let pieces = stream::unfold((watch, place, true), async |(mut watch, place, first)| {
        if first {
            return Some((piece(GREETING.to_owned()), (watch, place, false)));
        }
        let told = watch.next().await;
        let text: String = told.iter().map(event::text).collect();
        (!text.is_empty()).then(|| (piece(text), (watch, place, false)))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would hold events back.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn piece(text: String) -> Result<Bytes, std::convert::Infallible> {
    Ok(Bytes::from(text))
}
