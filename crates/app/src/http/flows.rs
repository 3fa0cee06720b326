//! `/flows`: what can be run.

use std::sync::Arc;

use axum::extract::State;
use hyper::StatusCode;
use jobmill_engine::DeclareError;
use jobmill_model::limits;
use jobmill_model::queue::Name;
use jobmill_store::Declared as Outcome;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::path::NamePath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::flow::{self, Declared, Flow};
use crate::wire::page::Page;
use crate::wire::problem::Document;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(list_flows)).routes(routes!(
        get_flow,
        put_flow,
        delete_flow
    ))
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
    let flows = room.engine.flows();
    Ok(reply::json(&Page::whole(flows.iter().map(Flow::from).collect())))
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
    match Name::new(&name).ok().and_then(|name| room.engine.flow(&name)) {
        Some(flow) => Ok(reply::json(&Flow::from(&flow))),
        None => Err(Refusal::new(Kind::NoFlow, "no flow has this name; `GET /flows` lists them")),
    }
}

/// Declare a flow
///
/// A flow that workers outside the server perform. Declared again it takes the new form; jobs
/// that are accepted keep what they were accepted with.
#[utoipa::path(
    put, path = "/flows/{name}", tag = "flows", operation_id = "put_flow",
    params(("name" = String, Path, description = "The flow's name")),
    request_body(content = Declared, description = "The declaration; it may be empty",
        example = json!({"about": "Resizes a picture.", "lease": "1m", "max_attempts": 5,
            "input_schema": {"type": "object", "required": ["url"],
                "properties": {"url": {"type": "string"}}}})),
    responses(
        (status = 201, description = "The flow is new", body = Flow),
        (status = 200, description = "It was declared before", body = Flow),
        (status = 409, description = "The server itself performs a flow of this name, or there \
            are too many declared flows",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Everything that is wrong with the declaration",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn put_flow(State(room): Shared, NamePath(name): NamePath, posted: Posted) -> Answer {
    let name = Name::new(&name)
        .map_err(|error| Refusal::new(Kind::Invalid, format!("the name of the flow: {error}")))?;
    let body = posted.json_if_any().await?;
    let mut problems = Vec::new();
    let declaration = flow::read(&body, name.clone(), &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    }
    let declared = room.engine.declare(declaration).await.map_err(not_declared)?;
    let status = match declared {
        Outcome::New => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    let flow = room.engine.flow(&name);
    let flow = flow.ok_or_else(|| Refusal::new(Kind::NoFlow, "the flow was forgotten since"))?;
    Ok(reply::sized(status, &Flow::from(&flow), 512))
}

fn not_declared(error: DeclareError) -> Refusal {
    match error {
        DeclareError::BuiltIn => Refusal::new(
            Kind::BuiltInFlow,
            "the server itself performs a flow of this name; choose another name",
        ),
        DeclareError::Schema(problems) => Refusal::of_problems(Kind::Invalid, problems),
        DeclareError::TooMany => Refusal::new(
            Kind::TooMany,
            format!("there are {} declared flows; forget one first", limits::DECLARED_FLOWS),
        ),
        DeclareError::Store(error) => error.into(),
    }
}

/// Forget a declared flow
///
/// Jobs of it stay; no new one is accepted and no worker gets one until it is declared again.
#[utoipa::path(
    delete, path = "/flows/{name}", tag = "flows", operation_id = "delete_flow",
    params(("name" = String, Path, description = "The flow's name")),
    responses(
        (status = 200, description = "It is forgotten; this is how it was", body = Flow),
        (status = 404, description = "No flow of this name is declared",
            body = Document, content_type = "application/problem+json"),
        (status = 409, description = "The server itself performs a flow of this name",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn delete_flow(State(room): Shared, NamePath(name): NamePath) -> Answer {
    let none = || Refusal::new(Kind::NoFlow, "no flow of this name is declared");
    let name = Name::new(&name).map_err(|_| none())?;
    if room.engine.registry().card(&name).is_some() {
        return Err(not_declared(DeclareError::BuiltIn));
    }
    let flow = room.engine.flow(&name).ok_or_else(none)?;
    match room.engine.undeclare(&name).await? {
        true => Ok(reply::json(&Flow::from(&flow))),
        false => Err(none()),
    }
}
