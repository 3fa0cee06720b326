//! What every handler has at hand.

use std::sync::Arc;

use bytes::Bytes;
use jobmill_engine::Engine;
use jobmill_model::Span;
use tokio::sync::{Semaphore, watch};

use super::metrics::{Measured, Requests};

/// What every handler has at hand.
pub(crate) struct Room {
    pub(crate) engine: Engine,
    pub(crate) body_bytes: usize,
    pub(crate) request_timeout: Span,
    /// How long `/process` of document 002 sleeps.
    pub(crate) process_sleep: Span,
    /// Becomes true when the door closes, so that nobody goes on waiting.
    pub(crate) closing: watch::Receiver<bool>,
    /// Places for event streams.
    pub(crate) streams: Arc<Semaphore>,
    /// How many of them there are in all.
    pub(crate) most_streams: usize,
    /// Requests that were answered.
    pub(crate) requests: Arc<Requests>,
    /// What the store measures of itself, if it does.
    pub(crate) measured: Option<Measured>,
    /// The text of the OpenAPI document.
    pub(crate) openapi: Bytes,
}

/// Returns when the door closes.
pub(crate) async fn until_closing(mut closing: watch::Receiver<bool>) {
    // An error means that the door is gone, which is closed enough.
    let _ = closing.wait_for(|closing| *closing).await.map(drop);
}

/// The room as handlers get it.
pub(crate) type Shared = axum::extract::State<Arc<Room>>;
