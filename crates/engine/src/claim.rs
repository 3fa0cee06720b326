//! Takes on jobs while there are places for them. Sleeps until it is woken; never polls.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jobmill_model::{Span, Timestamp};
use jobmill_store::{Claim, Claimed, StoreError};

use crate::engine::Shared;
use crate::perform::{self, Task};

/// The most jobs of one claim: a claim is one commit, and a commit should stay short.
const BATCH_JOBS: usize = 256;
/// How long to wait after a claim that the store refused.
pub(crate) const PAUSE: Span = Span::from_secs(1);

pub(crate) async fn run(shared: Arc<Shared>) {
    while !shared.is_draining() {
        let places = reserve(&shared);
        if places == 0 {
            shared.bus.until_ready().await;
            continue;
        }
        match claim(&shared, places).await {
            Ok(claimed) => {
                let count = claimed.len();
                shared.release_places(places - count);
                claimed.into_iter().for_each(|job| perform::begin(&shared, Task::claimed(job)));
                if count < places {
                    wait(&shared).await;
                }
            }
            Err(error) => {
                shared.release_places(places);
                shared.observer.store_failed("job_claim", &error);
                shared.clock.pause(PAUSE).await;
            }
        }
    }
}

/// Waits until there may be more to claim.
async fn wait(shared: &Shared) {
    let refill = shared.refill().await;
    tokio::select! {
        biased;
        () = shared.bus.until_ready() => {}
        () = shared.clock.sleep_until(refill), if refill < Timestamp::MAX => {}
    }
}

/// Takes places, or leaves word that it wants one.
fn reserve(shared: &Shared) -> usize {
    let places = shared.reserve_places(BATCH_JOBS);
    if places > 0 {
        return places;
    }
    shared.starved.store(true, Ordering::Release);
    shared.reserve_places(BATCH_JOBS)
}

async fn claim(shared: &Shared, max: usize) -> Result<Vec<Claimed>, StoreError> {
    let now = shared.clock.now();
    let claim = Claim { instance: shared.instance, flows: shared.flows(), max, now };
    let claimed = shared.store.job_claim(claim).await?;
    claimed.iter().for_each(|claimed| shared.observer.metrics.taken_on(&claimed.job, now));
    Ok(claimed)
}
