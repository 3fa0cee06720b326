//! Calls a registered Rust function on a performer's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jobmill_model::Fault;
use jobmill_model::machine::{OpCall, Outcome};
use tokio::sync::oneshot;

use super::outcome_of;
use crate::engine::Shared;
use crate::perform::panicked;
use crate::registry::OpContext;

/// Calls the op; the future only waits, the work is done even if nobody waits any more.
pub(crate) fn call(
    shared: &Arc<Shared>,
    call: OpCall,
    key: String,
) -> impl Future<Output = Outcome> + Send + use<> {
    let (sender, receiver) = oneshot::channel();
    match shared.registry.op(&call.op).cloned() {
        Some(function) => shared.performers.push(move || {
            let context = OpContext { idempotency_key: &key };
            let called = catch_unwind(AssertUnwindSafe(|| function(&call.input, &context)));
            let result = called.unwrap_or_else(|panic| Err(panicked(&*panic)));
            // Nobody waits any more when the job was cancelled or handed back.
            let _ = sender.send(outcome_of(result));
        }),
        None => {
            let text = format!("this process knows no op named {}", call.op);
            let _ = sender.send(outcome_of(Err(Fault::last("UnknownOp", text))));
        }
    }
    async move {
        receiver.await.unwrap_or_else(|_| {
            outcome_of(Err(Fault::last("Stopped", "the process stopped before the op ended")))
        })
    }
}
