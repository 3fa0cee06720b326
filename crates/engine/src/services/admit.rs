//! Lets held jobs through after the limit of keys was raised; also what a crash left of that.

use std::sync::Arc;

use jobmill_model::Span;
use jobmill_store::StoreError;

use crate::engine::Shared;

/// The most jobs of one step, so that the commit stays short.
const BATCH: usize = 500;
/// How long to wait after the store refused.
const PAUSE: Span = Span::from_secs(1);

pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        match run_once(&shared).await {
            Ok(()) => shared.bus.until_rules_change().await,
            Err(StoreError::Closed) => return,
            Err(error) => {
                shared.observer.store_failed("held_admit", &error);
                shared.clock.pause(PAUSE).await;
            }
        }
    }
}

async fn run_once(shared: &Shared) -> Result<(), StoreError> {
    loop {
        let admitted = shared.store.held_admit(shared.clock.now(), BATCH).await?;
        if admitted.count > 0 {
            shared.bus.ready();
        }
        if !admitted.more {
            return Ok(());
        }
    }
}
