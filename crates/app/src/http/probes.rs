//! `/healthz` and `/readyz`: whether the process lives, and whether it takes work.

use std::sync::Arc;

use axum::extract::State;
use jobmill_store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::probe::Probe;
use crate::wire::problem::Document;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(check_health)).routes(routes!(check_readiness))
}

/// Check that the process lives
#[utoipa::path(
    get, path = "/healthz", tag = "probes", operation_id = "check_health",
    responses((status = 200, description = "It lives", body = Probe)),
    security(())
)]
async fn check_health() -> Answer {
    Ok(reply::json(&Probe { status: "ok" }))
}

/// Check that the server takes work
///
/// It does unless it is shutting down or its store cannot be read.
#[utoipa::path(
    get, path = "/readyz", tag = "probes", operation_id = "check_readiness",
    responses(
        (status = 200, description = "It takes work", body = Probe,
            example = json!({"status": "ready"})),
        (status = 503, description = "It does not, now",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:closing", "title": "Shutting down",
                "status": 503, "detail": "the server is shutting down; try again later"})),
    ),
    security(())
)]
async fn check_readiness(State(room): Shared) -> Answer {
    if room.engine.is_draining() || *room.closing.borrow() {
        return Err(StoreError::Closed.into());
    }
    room.engine.tally().await?;
    Ok(reply::json(&Probe { status: "ready" }))
}
