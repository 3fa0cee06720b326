//! Everything that the engine does to the world on behalf of a machine.

pub(crate) mod gate;
pub(crate) mod google;
pub(crate) mod http;
pub(crate) mod log;

mod child;
mod function;

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use jobmill_model::machine::{Effect, Outcome};
use jobmill_model::{Fault, Value};

use crate::callback;
use crate::engine::Shared;
use crate::perform::Task;

/// Performs an effect that takes a worker. `key` tells its receiver a repetition.
pub(crate) fn perform(
    shared: &Arc<Shared>,
    task: &Task,
    effect: Effect,
    key: String,
) -> BoxFuture<'static, Outcome> {
    match effect {
        Effect::Op(call) => function::call(shared, call, key).boxed(),
        Effect::Connector(call) if child::knows(&call.method) => {
            child::perform(shared.clone(), task.id, call, key).boxed()
        }
        Effect::Connector(call) => google::perform(shared.clone(), task.id, call, key).boxed(),
        Effect::Http(call) => http::perform(shared.clone(), call, key).boxed(),
        Effect::Log(entry) => std::future::ready(log::write(&task.subject(), &entry)).boxed(),
        Effect::Callback(endpoint) => {
            std::future::ready(callback::open(shared, task, &endpoint)).boxed()
        }
        other => {
            let text = format!("this server cannot perform {other}: it has no such op");
            std::future::ready(outcome_of(Err(Fault::last("UnknownOp", text)))).boxed()
        }
    }
}

fn outcome_of(result: Result<Value, Fault>) -> Outcome {
    match result {
        Ok(value) => Outcome::Done(value),
        Err(fault) => Outcome::Failed { code: fault.code.into_owned(), message: fault.message },
    }
}
