//! Firestore's and BigQuery's paths: one handler, since `jobmill_google::discovery` knows the
//! methods.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::any;
use hyper::{Method, Uri};
use jobmill_google::discovery::Call;
use jobmill_google::wire::Error;
use jobmill_model::Value;
use utoipa_axum::router::OpenApiRouter;

use crate::http::body::Posted;
use crate::http::refusal::Refusal;
use crate::http::reply::{self, Answer};
use crate::http::room::{Room, Shared};

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .route("/v1/projects/{project}/databases/{*rest}", any(firestore))
        .route("/bigquery/v2/projects/{*rest}", any(bigquery))
}

/// Whether a path is one of these.
pub(crate) fn owns(path: &str) -> bool {
    path.starts_with("/v1/projects/") || path.starts_with("/bigquery/v2/")
}

async fn firestore(
    State(room): Shared,
    method: Method,
    Path((project, rest)): Path<(String, String)>,
    uri: Uri,
    posted: Posted,
) -> Answer {
    let path = format!("v1/projects/{project}/databases/{rest}");
    answer(&room, &method, &path, &uri, &posted).await
}

async fn bigquery(
    State(room): Shared,
    method: Method,
    Path(rest): Path<String>,
    uri: Uri,
    posted: Posted,
) -> Answer {
    let path = format!("bigquery/v2/projects/{rest}");
    answer(&room, &method, &path, &uri, &posted).await
}

async fn answer(room: &Room, method: &Method, path: &str, uri: &Uri, posted: &Posted) -> Answer {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query: Vec<_> = query.collect();
    let query = query.iter().map(|(name, text)| (&**name, &**text));
    let body = posted.any_json().await?;
    let Some(call) = Call::of_request(method.as_str(), path, query, body) else {
        let text = format!("{method} /{path} is no method of this service that is answered here");
        return Err(Refusal::from(Error::unimplemented(text)));
    };
    let value: Value = room.engine.google(call).await?;
    Ok(reply::json(&value))
}
