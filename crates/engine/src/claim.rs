//! Takes on jobs while there are places for them. Sleeps until it is woken; never polls.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jobmill_model::{Span, Timestamp};
use jobmill_store::{Claim, Claimed, StoreError};

use crate::engine::Shared;
use crate::perform::{self, Task};
use crate::places::Kind;

/// The most jobs of one claim: a claim is one commit, and a commit should stay short.
const BATCH_JOBS: usize = 256;
/// How long to wait after a claim that the store refused.
pub(crate) const PAUSE: Span = Span::from_secs(1);

/// Takes on jobs of one kind.
pub(crate) async fn run(shared: Arc<Shared>, kind: Kind) {
    while !shared.is_draining() {
        let places = reserve(&shared, kind);
        if places == 0 {
            shared.bus.until_ready(kind).await;
            continue;
        }
        match claim(&shared, kind, places).await {
            Ok(claimed) => {
                let count = claimed.len();
                shared.release_places(kind, places - count);
                claimed.into_iter().for_each(|job| perform::begin(&shared, Task::claimed(job)));
                if count < places {
                    wait(&shared, kind).await;
                }
            }
            Err(error) => {
                shared.release_places(kind, places);
                shared.observer.store_failed("job_claim", &error);
                shared.clock.pause(PAUSE).await;
            }
        }
    }
}

/// Waits until there may be more to claim.
async fn wait(shared: &Shared, kind: Kind) {
    let refill = shared.refill().await;
    tokio::select! {
        biased;
        () = shared.bus.until_ready(kind) => {}
        () = shared.clock.sleep_until(refill), if refill < Timestamp::MAX => {}
    }
}

/// Takes places, or leaves word that it wants one.
fn reserve(shared: &Shared, kind: Kind) -> usize {
    let places = shared.reserve_places(kind, BATCH_JOBS);
    if places > 0 {
        return places;
    }
    shared.starved[kind as usize].store(true, Ordering::Release);
    shared.reserve_places(kind, BATCH_JOBS)
}

async fn claim(shared: &Shared, kind: Kind, max: usize) -> Result<Vec<Claimed>, StoreError> {
    let now = shared.clock.now();
    let claim = Claim { instance: shared.instance, flows: shared.flows(kind), max, now };
    let claimed = shared.store.job_claim(claim).await?;
    claimed.iter().for_each(|claimed| shared.observer.metrics.taken_on(&claimed.job, now));
    Ok(claimed)
}
