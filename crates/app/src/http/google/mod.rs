//! Google's own REST paths, on the same port as everything else: Workflows v1 and Executions v1,
//! Firestore v1 and BigQuery v2.
//!
//! The handlers translate: names, filters and resources are read and written by
//! `jobmill_google::wire`, the rest is the engine's. A project and a location are taken as they
//! come; they do not divide the workflows of a server. These routes are not in the OpenAPI
//! document, since Google's discovery documents describe them and their clients come with those.

mod asked;
mod callbacks;
mod data;
mod executions;
mod history;
mod listing;
mod locations;
mod operations;
pub(crate) mod refusal;
mod steps;
mod workflows;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use super::room::Room;

/// The versions of both services; their paths and resources are the same.
const VERSIONS: [&str; 2] = ["v1", "v1beta"];

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    VERSIONS.into_iter().fold(data::routes(), |router, version| {
        let location = format!("/{version}/projects/{{project}}/locations/{{location}}");
        let executions = format!("{location}/workflows/{{workflow}}/executions");
        router
            .merge(locations::routes(version))
            .merge(workflows::routes(&location))
            .merge(executions::routes(&executions))
            .merge(callbacks::routes(&executions))
            .merge(steps::routes(&executions))
            .merge(operations::routes(&location))
    })
}

/// Whether a path is one of Google's, whose refusals have Google's shape.
pub(crate) fn owns(path: &str) -> bool {
    let is_version = |version| {
        let rest = path.strip_prefix('/').and_then(|path| path.strip_prefix(version));
        rest.is_some_and(|rest| rest.starts_with("/projects/"))
    };
    data::owns(path) || VERSIONS.into_iter().any(is_version)
}
