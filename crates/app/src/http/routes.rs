//! All routes in one place, each registered together with its description.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use hyper::{Method, StatusCode, Uri};
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

use super::refusal::{Kind, Refusal};
use super::room::Room;
use super::{
    batches, bulk, compat, docs, effects, errors, events, flows, google, graphs, jobs, keys,
    leases, metrics, page, pairs, probes, queues, results, roles, schedules, steps, workflows,
};

/// Every route with its description.
pub(crate) fn documented() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::with_openapi(docs::frame())
        .merge(page::routes())
        .merge(docs::routes())
        .merge(jobs::routes())
        .merge(bulk::routes())
        .merge(results::routes())
        .merge(pairs::routes())
        .merge(errors::routes())
        .merge(events::routes())
        .merge(flows::routes())
        .merge(schedules::routes())
        .merge(leases::routes())
        .merge(effects::routes())
        .merge(steps::routes())
        .merge(graphs::routes())
        .merge(workflows::routes())
        .merge(keys::routes())
        .merge(queues::routes())
        .merge(batches::routes())
        .merge(probes::routes())
        .merge(metrics::routes())
        .merge(compat::document_000::routes())
        .merge(compat::document_001::routes())
        .merge(compat::document_002::routes())
        .merge(google::routes())
}

/// The routes as a service. A path that is known only with, or only without, a last slash is
/// taken for the one that is known.
pub(crate) fn routes(room: Arc<Room>) -> Router {
    let (router, _) = documented().split_for_parts();
    let router = router.route_layer(middleware::from_fn(roles::check));
    let router = router.route_layer(middleware::from_fn(metrics::note_route));
    let router = router.method_not_allowed_fallback(other_method).with_state(room);
    let strict = router.clone().fallback(no_route);
    router.fallback(move |request: Request| {
        let strict = strict.clone();
        async move {
            let answer = strict.oneshot(with_other_ending(request)).await;
            answer.unwrap_or_else(|never| match never {})
        }
    })
}

async fn no_route() -> Refusal {
    Refusal::new(Kind::NoRoute, "there is nothing at this path; `/docs` shows what there is")
}

/// The router adds the `Allow` header.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    Refusal::new(Kind::Method, format!("{method} is not possible here; see the `Allow` header"))
        .into_response()
}

fn with_other_ending(mut request: Request) -> Request {
    let uri = request.uri();
    let path = match uri.path().strip_suffix('/') {
        Some(shorter) => shorter.to_owned(),
        None => format!("{}/", uri.path()),
    };
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    if let Ok(uri) = text.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request
}
