//! `/metrics`: what is counted, for Prometheus.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};
use jobmill_model::metric::{Counter, Family, Kind, OTHERS};
use jobmill_store::StoreError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::process;
use super::reply::Answer;
use super::room::{Room, Shared};
use crate::wire::metric::{self, MEDIA_TYPE};
use crate::wire::problem::Document;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new().routes(routes!(get_metrics))
}

/// What the store measures of itself.
#[derive(Clone)]
pub struct Measured(Arc<dyn Fn() -> Result<Vec<Family>, StoreError> + Send + Sync>);

impl Measured {
    /// Asks this for the numbers of the store.
    pub fn new(ask: impl Fn() -> Result<Vec<Family>, StoreError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Measured")
    }
}

/// Requests by method, route and status. Routes and statuses are few, and other methods than the
/// usual ones count together.
#[derive(Default)]
pub(crate) struct Requests(RwLock<BTreeMap<String, Answers>>);

/// Answers of one route by method and status.
type Answers = BTreeMap<(&'static str, u16), Counter>;

impl Requests {
    pub(crate) fn count(&self, method: &'static str, route: &str, status: StatusCode) {
        let key = (method, status.as_u16());
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = known.get(route).and_then(|counters| counters.get(&key)) {
            return counter.add(1);
        }
        drop(known);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(route.to_owned()).or_default().entry(key).or_default().add(1);
    }

    fn family(&self) -> Family {
        let help = "Requests by route, method and status; without a route there is nothing there.";
        let mut family = Family::new(Kind::Counter, "jobmill_http_requests_total", help);
        for (route, counters) in &*self.0.read().unwrap_or_else(PoisonError::into_inner) {
            for ((method, status), counter) in counters {
                let labels = [
                    ("route", route.clone()),
                    ("method", (*method).to_owned()),
                    ("status", status.to_string()),
                ];
                family = family.with(labels, counter.read());
            }
        }
        family
    }
}

/// A method as a label.
pub(crate) fn word(method: &Method) -> &'static str {
    let usual = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
    usual.into_iter().find(|usual| method == usual).unwrap_or(OTHERS)
}

/// Lets the door know which route a request has come to.
pub(super) async fn note_route(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(route);
    }
    response
}

/// Get the metrics
///
/// In the text format of Prometheus, version 0.0.4. Numbers of flows and queues are told apart for
/// a hundred of each; the rest is summed up as `all others`.
#[utoipa::path(
    get, path = "/metrics", tag = "probes", operation_id = "get_metrics",
    responses(
        (status = 200, description = "The metrics", body = String,
            content_type = "text/plain; version=0.0.4",
            example = "# TYPE jobmill_jobs gauge\njobmill_jobs{state=\"running\"} 3\n"),
        (status = 503, description = "The store cannot be read",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn get_metrics(State(room): Shared) -> Answer {
    let mut families = room.engine.metrics().await?;
    if let Some(Measured(ask)) = &room.measured {
        families.extend(ask()?);
    }
    families.push(room.requests.family());
    let open = room.most_streams.saturating_sub(room.streams.available_permits());
    let streams = Family::new(Kind::Gauge, "jobmill_event_streams", "Event streams that are open.");
    families.push(streams.with([], open as u64));
    let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
    let build = Family::new(Kind::Gauge, "jobmill_build_info", "Which program this is.");
    families.push(build.with([version], 1));
    families.extend(process::metrics());
    let kind = (CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    Ok((StatusCode::OK, [kind], metric::text(&families)).into_response())
}
