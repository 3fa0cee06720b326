//! `/jobs/{id}/effects`: the ledger of a job's steps, for workers outside.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use jobmill_model::queue::Name;
use jobmill_model::{Problem, limits};
use jobmill_store::EffectPut;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::{Posted, no_token};
use super::described::{NoJob, NoSuchPage};
use super::jobs::{find, refuse_query};
use super::leases::lost;
use super::path::{EffectPath, JobPath};
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::effect::Effect;
use crate::wire::page::Page;
use crate::wire::problem::Document;
use crate::wire::query::Query;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(put_effect, get_effect)).routes(routes!(list_effects))
}

/// Record the result of a step
///
/// The body is the result. A step has one result in each run of the job, the first one that is
/// sent; the answer shows the one that counts. It is kept from try to try, and until the run ends.
#[utoipa::path(
    put, path = "/jobs/{id}/effects/{name}", tag = "workers", operation_id = "put_effect",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("name" = String, Path, description = "The step, by a name of its own within the job"),
        ("Lease-Token" = u64, Header, description = "The lease"),
    ),
    request_body(content = Value, description = "The result, any JSON of at most 1 MiB"),
    responses(
        (status = 201, description = "It is recorded", body = Effect),
        (status = 200, description = "The step had this result before, which counts",
            body = Effect),
        NoJob,
        (status = 409, description = "The lease has ended; nothing is recorded",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "The result is too large, or the ledger is full",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn put_effect(
    State(room): Shared,
    EffectPath(id, name): EffectPath,
    posted: Posted,
) -> Answer {
    let token = posted.lease_token()?.ok_or_else(no_token)?;
    let value = posted.json().await?.to_json();
    if value.as_str().len() > limits::EFFECT_BYTES {
        let message = format!("the result of a step has at most {} bytes", limits::EFFECT_BYTES);
        return Err(Refusal::of_problems(Kind::Invalid, vec![Problem::new("", message)]));
    }
    let put = EffectPut { id, token, name: name.clone(), value };
    let (value, is_new) = room.engine.note_effect(put).await?.map_err(|reason| lost(id, reason))?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(reply::sized(status, &Effect::new(&name, &value), value.as_str().len() + 64))
}

/// Get the result of a step
#[utoipa::path(
    get, path = "/jobs/{id}/effects/{name}", tag = "workers", operation_id = "get_effect",
    params(("id" = String, Path, description = "The job's id"),
        ("name" = String, Path, description = "The step")),
    responses(
        (status = 200, description = "The step has a result in this run", body = Effect),
        (status = 404, description = "No job has this id, or the step has no result yet",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:no-effect", "title": "Step not found",
                "status": 404, "detail": "this step has no result in the present run"})),
    )
)]
async fn get_effect(State(room): Shared, EffectPath(id, name): EffectPath) -> Answer {
    match room.engine.effect(id, &name).await? {
        Some(value) => {
            let bytes = value.as_str().len() + 64;
            Ok(reply::sized(StatusCode::OK, &Effect::new(&name, &value), bytes))
        }
        None => {
            find(&room, id).await?;
            Err(Refusal::new(Kind::NoEffect, "this step has no result in the present run"))
        }
    }
}

/// List the steps of a job
///
/// By name, those of the present run.
#[utoipa::path(
    get, path = "/jobs/{id}/effects", tag = "workers", operation_id = "list_effects",
    params(
        ("id" = String, Path, description = "The job's id"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of steps", body = Page<Effect>),
        NoSuchPage,
        NoJob,
    )
)]
async fn list_effects(State(room): Shared, JobPath(id): JobPath, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["cursor", "limit"]);
    let (limit, after) = (query.limit(), query.name("cursor"));
    refuse_query(query)?;
    let mut steps = room.engine.effects(id, after.as_ref(), limit + 1).await?;
    if steps.is_empty() {
        find(&room, id).await?;
    }
    let more = steps.len() > limit;
    steps.truncate(limit);
    let last = steps.last().map(|(name, _): &(Name, _)| name.to_string());
    let items = steps.iter().map(|(name, value)| Effect::new(name, value)).collect();
    Ok(reply::json(&Page { items, next: last.filter(|_| more) }))
}
