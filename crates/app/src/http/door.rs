//! The way of every request: admission, a time limit, the routes, the shape of a refusal.

use std::sync::Arc;

use axum::Router;
use axum::extract::MatchedPath;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::{Method, Request};
use jobmill_engine::Engine;
use jobmill_model::{Span, limits};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use super::access::Access;
use super::metrics::{self, Requests};
use super::refusal::{Kind, Refusal};
use super::room::Room;
use super::shape::Shape;
use super::{Settings, deadline, docs, routes};

/// The way of every request.
pub(crate) struct Door {
    routes: Router,
    access: Access,
    engine: Engine,
    requests: Arc<Requests>,
    longest: Span,
    /// The same for a handler that sleeps.
    longest_asleep: Span,
}

impl Door {
    pub(crate) fn new(engine: Engine, settings: Settings, closing: watch::Receiver<bool>) -> Self {
        let Settings { body_bytes, request_timeout, process_sleep, access, .. } = settings;
        let (most_streams, measured) = (settings.streams, settings.measured);
        let (openapi, at_the_door) = (docs::text().into(), engine.clone());
        let requests = Arc::<Requests>::default();
        let room = Room {
            engine,
            body_bytes,
            request_timeout,
            process_sleep,
            closing,
            streams: Arc::new(Semaphore::new(most_streams)),
            most_streams,
            requests: requests.clone(),
            measured,
            openapi,
        };
        // A request may take its time to arrive, may ask to wait, and then has to be answered.
        let longest = Span::from_millis(2 * request_timeout.as_millis() + limits::WAIT_MILLIS);
        let longest_asleep = Span::from_millis(longest.as_millis() + process_sleep.as_millis());
        let routes = routes::routes(Arc::new(room));
        Self { routes, access, engine: at_the_door, requests, longest, longest_asleep }
    }

    /// How long a request may take in all; a result may be sent for as long as it arrives.
    fn longest(&self, request: &Request<Incoming>) -> Option<Span> {
        match request.uri().path().trim_end_matches('/') {
            "/process" => Some(self.longest_asleep),
            path if request.method() == Method::PUT && path.ends_with("/result") => None,
            _ => Some(self.longest),
        }
    }

    /// Answers a request and counts it; never fails, because a refusal is an answer too.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response {
        let method = metrics::word(request.method());
        let response = self.respond(request).await;
        let route = response.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
        self.requests.count(method, route, response.status());
        response
    }

    async fn respond(&self, mut request: Request<Incoming>) -> Response {
        let shape = Shape::of(request.uri().path());
        match self.access.admit(&self.engine, request.uri().path(), request.headers()) {
            Err(refusal) => return shape.dress(refusal.into_response()),
            Ok(None) => {}
            Ok(Some(caller)) => drop(request.extensions_mut().insert(caller)),
        }
        let longest = self.longest(&request);
        let answering = self.routes.clone().oneshot(request);
        let answer = match longest {
            Some(longest) => deadline::within(longest, answering).await,
            None => Some(answering.await),
        };
        let response = match answer {
            Some(Ok(response)) => response,
            None => Refusal::new(
                Kind::TooSlow,
                "the server did not answer in time; what was asked may still happen",
            )
            .into_response(),
        };
        shape.dress(response)
    }
}
