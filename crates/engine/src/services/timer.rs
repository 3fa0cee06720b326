//! Makes jobs claimable when their time has come: delays, backoffs, parked timers.

use std::sync::Arc;

use jobmill_model::{Span, Timestamp};
use jobmill_store::StoreError;

use crate::engine::Shared;

/// The most jobs of one step, so that the commit stays short.
const BATCH: usize = 1_000;
/// How long to wait after the store refused.
const PAUSE: Span = Span::from_secs(1);

pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let next = match run_once(&shared).await {
            Ok(next) => next,
            Err(StoreError::Closed) => return,
            Err(error) => {
                shared.observer.store_failed("job_promote", &error);
                shared.clock.pause(PAUSE).await;
                continue;
            }
        };
        wait(&shared, next).await;
    }
}

/// Promotes what is due; answers when something will be due next.
async fn run_once(shared: &Shared) -> Result<Option<Timestamp>, StoreError> {
    shared.bus.take_due();
    let promoted = shared.store.job_promote(shared.clock.now(), BATCH).await?;
    if promoted.count > 0 {
        shared.bus.ready();
    }
    Ok(promoted.next)
}

/// Sleeps until `next`, or until something is due before it.
async fn wait(shared: &Shared, mut next: Option<Timestamp>) {
    loop {
        if let Some(earlier) = shared.bus.take_due() {
            next = Some(next.map_or(earlier, |next| next.min(earlier)));
        }
        let Some(at) = next else {
            shared.bus.until_due_changes().await;
            continue;
        };
        tokio::select! {
            biased;
            () = shared.clock.sleep_until(at) => return,
            () = shared.bus.until_due_changes() => {}
        }
    }
}
