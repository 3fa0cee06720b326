//! `/flows`: what can be run.

use std::sync::Arc;

use axum::extract::State;
use jobmill_model::queue::Name;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::path::NamePath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::flow::Flow;
use crate::wire::page::Page;
use crate::wire::problem::Document;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(list_flows)).routes(routes!(get_flow))
}

/// List the flows
///
/// By name, each with the JSON Schemas of its input and its params.
#[utoipa::path(
    get, path = "/flows", tag = "flows", operation_id = "list_flows",
    responses((status = 200, description = "Every flow", body = Page<Flow>,
        example = json!({"items": [{"name": "expand_reduce_flow",
            "about": "Splits a dictionary and merges its parts.",
            "input_schema": {"type": "object"}, "params_schema": {"type": "object"}}],
            "next": null})))
)]
async fn list_flows(State(room): Shared) -> Answer {
    Ok(reply::json(&Page::whole(room.engine.registry().cards().map(Flow::from).collect())))
}

/// Get a flow
#[utoipa::path(
    get, path = "/flows/{name}", tag = "flows", operation_id = "get_flow",
    params(("name" = String, Path, description = "The flow's name")),
    responses(
        (status = 200, description = "The flow", body = Flow),
        (status = 404, description = "No flow has this name",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:no-flow", "title": "Flow not found",
                "status": 404, "detail": "no flow has this name; `GET /flows` lists them"})),
    )
)]
async fn get_flow(State(room): Shared, NamePath(name): NamePath) -> Answer {
    match Name::new(&name).ok().and_then(|name| room.engine.registry().card(&name)) {
        Some(card) => Ok(reply::json(&Flow::from(card))),
        None => Err(Refusal::new(Kind::NoFlow, "no flow has this name; `GET /flows` lists them")),
    }
}
