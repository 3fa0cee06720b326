//! What is due by time: each service has a `run_once` that takes no input but the world, and a
//! loop that sleeps until there is something to do.

mod admit;
mod lease;
mod retention;
mod schedule;
mod sweep;
mod timer;

use std::sync::Arc;

use jobmill_model::Timestamp;

use crate::engine::Shared;

pub(crate) fn start(shared: &Arc<Shared>, began: Timestamp) {
    tokio::spawn(timer::run(shared.clone()));
    tokio::spawn(schedule::run(shared.clone()));
    tokio::spawn(lease::run(shared.clone(), began));
    tokio::spawn(admit::run(shared.clone()));
    tokio::spawn(sweep::run(shared.clone()));
    tokio::spawn(retention::run(shared.clone()));
}
