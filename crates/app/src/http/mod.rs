//! The HTTP door: bytes in, one call to the engine, bytes out.
//!
//! A connection is taken by `accept`, each of its requests goes through `door` (who asks, from
//! where, how long it may take) to a handler in the file of its resource. A handler parses, calls
//! the engine once and converts; whatever it refuses is a `Refusal`, which the door
//! writes in the shape of the route at the very end. The routes of the source documents are thin
//! translations under `compat`.

mod accept;
mod access;
mod batches;
mod body;
mod bulk;
mod compat;
mod deadline;
mod described;
mod docs;
mod door;
mod effects;
mod errors;
mod events;
mod flows;
mod google;
mod graphs;
mod jobs;
mod keys;
mod leases;
mod linger;
mod metrics;
mod page;
mod pairs;
mod path;
mod patience;
mod probes;
mod process;
mod queues;
mod refusal;
mod refusals;
mod reply;
mod results;
mod roles;
mod room;
mod routes;
mod schedules;
mod shape;
mod steps;
mod workflows;

pub use accept::serve;
pub use access::{Access, KeyRing};
pub use docs::openapi;
pub use metrics::Measured;

use jobmill_model::{Span, limits};

/// How the door is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest request body.
    pub body_bytes: usize,
    /// How long a request may take: to arrive, and then to be answered, not counting the time
    /// that it asked to wait. Also how long a reader may take nothing of an answer.
    pub request_timeout: Span,
    /// How long a request head may take to arrive, and an idle connection is kept.
    pub header_timeout: Span,
    /// How many connections there may be at once; more wait to be accepted.
    pub connections: usize,
    /// How long `/process` of document 002 sleeps.
    pub process_sleep: Span,
    /// How many event streams there may be at once.
    pub streams: usize,
    /// Who may ask.
    pub access: Access,
    /// What the store measures of itself, if it does.
    pub measured: Option<Measured>,
}

impl Settings {
    /// The usual limits.
    #[must_use]
    pub fn new(access: Access) -> Self {
        Self {
            body_bytes: limits::BODY_BYTES,
            request_timeout: Span::from_secs(30),
            header_timeout: Span::from_secs(30),
            connections: 800,
            process_sleep: Span::from_secs(180),
            streams: limits::EVENT_STREAMS,
            access,
            measured: None,
        }
    }
}
