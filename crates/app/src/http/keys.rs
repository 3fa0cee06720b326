//! `/keys`: who may ask.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use jobmill_engine::KeyError;
use jobmill_model::queue::Name;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::path::NamePath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::key::{self, Body, Key, Revoked};
use crate::wire::page::Page;
use crate::wire::problem::Document;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(create_key, list_keys)).routes(routes!(revoke_key))
}

/// Create an API key
///
/// The answer is the only one that shows the key: the server keeps its hash.
#[utoipa::path(
    post, path = "/keys", tag = "keys", operation_id = "create_key",
    request_body(content = Body, description = "The key",
        example = json!({"name": "ci", "roles": ["submit"], "rate_per_minute": 600,
            "expires_in": "30d"})),
    responses(
        (status = 201, description = "The key, shown this once", body = Key),
        (status = 409, description = "There is one of this name, or there are too many",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Everything that is wrong with it, with its place",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn create_key(State(room): Shared, posted: Posted) -> Answer {
    let body = posted.json().await?;
    let mut problems = Vec::new();
    let new = key::read(&body, room.engine.now(), &mut problems);
    let (Some(new), true) = (new, problems.is_empty()) else {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    };
    let created = room.engine.key_create(new).await;
    let (key, secret) = created.map_err(|error| match error {
        KeyError::Store(error) => Refusal::from(error),
        other => Refusal::new(Kind::Exists, other.to_string()),
    })?;
    Ok(reply::sized(StatusCode::CREATED, &Key::with_secret(&key, &secret), 512))
}

/// List the API keys
///
/// By name, without the keys themselves.
#[utoipa::path(
    get, path = "/keys", tag = "keys", operation_id = "list_keys",
    responses((status = 200, description = "Every key", body = Page<Key>,
        example = json!({"items": [], "next": null})))
)]
async fn list_keys(State(room): Shared) -> Answer {
    let keys = room.engine.keys().list().await?;
    Ok(reply::json(&Page::whole(keys.iter().map(Key::from).collect())))
}

/// Revoke an API key
///
/// From the answer on it opens nothing.
#[utoipa::path(
    delete, path = "/keys/{name}", tag = "keys", operation_id = "revoke_key",
    params(("name" = String, Path, description = "The key's name")),
    responses(
        (status = 200, description = "It is revoked", body = Revoked),
        (status = 404, description = "No key has this name",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn revoke_key(State(room): Shared, NamePath(name): NamePath) -> Answer {
    let unknown = || Refusal::new(Kind::NoKey, "no key has this name; `GET /keys` lists them");
    let known = Name::new(&name).map_err(|_| unknown())?;
    match room.engine.key_revoke(&known).await? {
        true => Ok(reply::json(&Revoked { name: &name, revoked: true })),
        false => Err(unknown()),
    }
}
