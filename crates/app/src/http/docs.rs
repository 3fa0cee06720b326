//! `/openapi.json` and `/docs`: the description of the API, made from the code.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use hyper::StatusCode;
use utoipa::OpenApi as _;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::PAGE_HEADERS;
use super::refusals;
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::web;

/// What the document says besides its routes.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Jobmill",
        description = "A durable jobs-and-workflows server. A 2xx answer to a submission means \
            that it is on disk.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "jobs", description = "Submit work, follow it, read its outcome"),
        (name = "events", description = "What happens to jobs, as it happens"),
        (name = "flows", description = "What can be run"),
        (name = "schedules", description = "Jobs that are submitted again and again"),
        (name = "workers", description = "For workers in any language: lease jobs, answer them"),
        (name = "workflows", description = "Deploy workflows and run them"),
        (name = "keys", description = "Who may ask, and how often"),
        (name = "queues", description = "What waits, and what holds it back"),
        (name = "document 000", description = "The routes of the first source document"),
        (name = "document 001", description = "The routes of the second source document"),
        (name = "probes", description = "For whoever watches the server"),
        (name = "pages", description = "For the browser"),
    ),
    security(("key" = []))
)]
pub(crate) struct Frame;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(get_openapi)).routes(routes!(get_docs))
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> OpenApi {
    let mut document = super::routes::documented().into_openapi();
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key, also as `X-Api-Key`. Not needed on loopback."))
        .build();
    let components = document.components.get_or_insert_with(Components::new);
    components.add_security_scheme("key", SecurityScheme::Http(scheme));
    refusals::describe(&mut document);
    document
}

/// The text of the OpenAPI document.
pub(crate) fn text() -> String {
    openapi().to_json().expect("the OpenAPI document has only text keys")
}

/// The empty document that the routes are added to.
pub(crate) fn frame() -> OpenApi {
    Frame::openapi()
}

/// Get the OpenAPI document
#[utoipa::path(
    get, path = "/openapi.json", tag = "pages", operation_id = "get_openapi",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
    security(())
)]
async fn get_openapi(State(room): Shared) -> Answer {
    Ok(reply::written(StatusCode::OK, Body::from(room.openapi.clone())))
}

/// Read the documentation
///
/// A page for the browser, made from the OpenAPI document.
#[utoipa::path(
    get, path = "/docs", tag = "pages", operation_id = "get_docs",
    responses((status = 200, description = "The page", body = String, content_type = "text/html")),
    security(())
)]
async fn get_docs() -> Answer {
    Ok(reply::text(web::HTML, web::DOCS, &PAGE_HEADERS))
}
