//! Removes what nobody will ask for again: old idempotency keys, chunks of ended attempts
//! and of deleted jobs. Tells the store when API keys were used.

use std::sync::Arc;

use jobmill_model::Span;
use jobmill_store::StoreError;

use crate::engine::Shared;
use crate::ops::google;

/// Rows of one step, so that the commit stays short.
const BATCH: usize = 500;
/// The time between two rounds.
const ROUND: Span = Span::from_secs(600);

pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        match run_once(&shared).await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => shared.observer.store_failed("sweep", &error),
        }
        tokio::select! {
            () = shared.clock.pause(ROUND) => {}
            () = shared.bus.until_litter() => {}
        }
    }
}

async fn run_once(shared: &Shared) -> Result<(), StoreError> {
    while shared.store.idempotency_sweep(shared.clock.now(), BATCH).await?.more {}
    while shared.store.output_sweep(BATCH).await?.more {}
    google::sweep(shared).await?;
    shared.keys.note_uses().await
}
