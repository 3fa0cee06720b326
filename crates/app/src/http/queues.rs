//! `/queues`: what waits, what holds it back, and the switches of an operator.

use std::sync::Arc;

use axum::extract::State;
use hyper::Uri;
use jobmill_model::Problem;
use jobmill_model::queue::Name;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::described::NoSuchPage;
use super::jobs::refuse_query;
use super::path::NamePath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::page::Page;
use crate::wire::problem::Document;
use crate::wire::query::Query;
use crate::wire::queue::{self, Queue, Rules};

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(list_queues))
        .routes(routes!(get_queue, put_queue))
        .routes(routes!(pause_queue))
        .routes(routes!(resume_queue))
}

/// List the queues
///
/// By name: those of which something was set, and those that have a job waiting or at work.
#[utoipa::path(
    get, path = "/queues", tag = "queues", operation_id = "list_queues",
    params(
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of queues", body = Page<Queue>,
            example = json!({"items": [{"name": "default", "paused": false, "concurrency": null,
                "rate": {"count": 10, "per": "1s"}, "key_limit": 1, "waiting": 12, "held": 0,
                "running": 4, "refills_at": "2026-11-21T09:30:00.250Z"}], "next": null})),
        NoSuchPage,
    )
)]
async fn list_queues(State(room): Shared, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["cursor", "limit"]);
    let (limit, after) = (query.limit(), query.name("cursor"));
    refuse_query(query)?;
    let mut queues = room.engine.queues(after.as_ref(), limit + 1).await?;
    let more = queues.len() > limit;
    queues.truncate(limit);
    let next = queues.last().filter(|_| more).map(|queue| queue.name.to_string());
    Ok(reply::json(&Page { items: queues.iter().map(Queue::from).collect(), next }))
}

/// Get a queue
///
/// A queue needs no making: one that nobody has used is empty and has the usual rules.
#[utoipa::path(
    get, path = "/queues/{queue}", tag = "queues", operation_id = "get_queue",
    params(("queue" = String, Path, description = "The queue's name")),
    responses(
        (status = 200, description = "The queue", body = Queue),
        (status = 422, description = "The path holds no name",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn get_queue(State(room): Shared, NamePath(name): NamePath) -> Answer {
    Ok(reply::json(&Queue::from(&room.engine.queue(&named(&name)?).await?)))
}

/// Set the rules of a queue
///
/// The rules as a whole: a field that is absent or `null` is as usual again. They hold for the
/// next start; jobs that are at work go on. A pause stays as it is.
#[utoipa::path(
    put, path = "/queues/{queue}", tag = "queues", operation_id = "put_queue",
    params(("queue" = String, Path, description = "The queue's name")),
    request_body(content = Rules, description = "The rules",
        example = json!({"concurrency": 8, "rate": {"count": 10, "per": "1s"}, "key_limit": 2})),
    responses(
        (status = 200, description = "The queue with its new rules", body = Queue),
        (status = 422, description = "Everything that is wrong with the rules, with its place",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn put_queue(State(room): Shared, NamePath(name): NamePath, posted: Posted) -> Answer {
    let name = named(&name)?;
    let body = posted.json().await?;
    let mut problems = Vec::new();
    let rules = queue::read(&body, &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    }
    Ok(reply::json(&Queue::from(&room.engine.queue_put(&name, rules).await?)))
}

/// Pause a queue
///
/// From now on no job of it is started. Jobs at work go on, and new ones are accepted.
#[utoipa::path(
    post, path = "/queues/{queue}/pause", tag = "queues", operation_id = "pause_queue",
    params(("queue" = String, Path, description = "The queue's name")),
    responses(
        (status = 200, description = "It is paused, now or before", body = Queue),
        (status = 422, description = "The path holds no name",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn pause_queue(State(room): Shared, NamePath(name): NamePath) -> Answer {
    Ok(reply::json(&Queue::from(&room.engine.queue_pause(&named(&name)?, true).await?)))
}

/// Let a queue go on
#[utoipa::path(
    post, path = "/queues/{queue}/resume", tag = "queues", operation_id = "resume_queue",
    params(("queue" = String, Path, description = "The queue's name")),
    responses(
        (status = 200, description = "It goes on, now or before", body = Queue),
        (status = 422, description = "The path holds no name",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn resume_queue(State(room): Shared, NamePath(name): NamePath) -> Answer {
    Ok(reply::json(&Queue::from(&room.engine.queue_pause(&named(&name)?, false).await?)))
}

/// The name of a queue from the path.
pub(crate) fn named(text: &str) -> Result<Name, Refusal> {
    Name::new(text).map_err(|error| {
        let text = format!("the path holds no name of a queue: {error}");
        Refusal::of_problems(Kind::Invalid, vec![Problem::new("", text)])
    })
}
