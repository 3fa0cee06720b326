//! Ends leases of workers outside that fell silent. One timer, at the end of the first lease.
//!
//! A worker is to blame for its silence only while the server could hear it: after a start, a
//! jump of the clock, or when this timer itself comes late, every lease has its whole span again.

use std::sync::Arc;
use std::time::Duration;

use jobmill_model::{Span, Timestamp};
use jobmill_store::{Expired, StoreError};

use crate::clock::Clock;
use crate::engine::Shared;

/// The most leases of one step, so that the commit stays short.
const BATCH: usize = 1_000;
/// How long to wait after the store refused.
const PAUSE: Span = Span::from_secs(1);
/// A timer that comes later than this could not hear heartbeats either, or its clock has jumped.
const LATE: Span = Span::from_secs(5);

/// How a wait ended.
enum Wake {
    InTime,
    Late,
}

/// The start, at `began`, has renewed every lease; what is over then has used up its time limit.
pub(crate) async fn run(shared: Arc<Shared>, began: Timestamp) {
    let mut steady = Steady::now(&*shared.clock);
    let mut looked = expire(&shared, began).await;
    loop {
        let wake = match looked {
            Ok(next) => wait(&shared, next, &steady).await,
            Err(StoreError::Closed) => return,
            Err(error) => {
                shared.observer.store_failed("lease_expire", &error);
                shared.clock.pause(PAUSE).await;
                // Heartbeats were refused as well.
                Wake::Late
            }
        };
        if let Wake::Late = wake {
            steady = Steady::now(&*shared.clock);
        }
        looked = look(&shared, wake).await;
    }
}

/// What the clock showed once, to find out later whether it was set.
struct Steady {
    at: Timestamp,
    monotonic: Duration,
}

impl Steady {
    fn now(clock: &dyn Clock) -> Self {
        Self { at: clock.now(), monotonic: clock.monotonic() }
    }

    /// Whether the clock shows another time now than has passed.
    fn is_over(&self, clock: &dyn Clock) -> bool {
        let passed = clock.monotonic().saturating_sub(self.monotonic).as_millis();
        let shown = i128::from(clock.now().as_millis()) - i128::from(self.at.as_millis());
        let passed = i128::try_from(passed).unwrap_or(i128::MAX);
        shown.abs_diff(passed) > u128::from(LATE.as_millis())
    }
}

/// Ends what is over; answers when the next lease ends. After a renewal that is what has used up
/// the time of its attempt.
async fn look(shared: &Shared, wake: Wake) -> Result<Option<Timestamp>, StoreError> {
    // What was set until now is in the store, which answers the first end of all.
    shared.bus.lease_end.take();
    if let Wake::Late = wake {
        shared.store.lease_renew(shared.clock.now()).await?;
    }
    expire(shared, shared.clock.now()).await
}

/// Ends what is over; answers when the next lease ends.
async fn expire(shared: &Shared, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let chance = shared.chance.fraction();
    let expired = shared.store.lease_expire(now, shared.config.max_crashes, chance, BATCH);
    let Expired { jobs, next } = expired.await?;
    if !jobs.is_empty() {
        let ids: Vec<_> = jobs.iter().map(|(id, _)| *id).collect();
        let found = shared.store.job_get(&ids).await.unwrap_or_default();
        found.iter().flatten().for_each(|job| shared.observer.expired(job));
        shared.observer.metrics.leases_lost(jobs.len());
        shared.bus.ready();
        // Attempts that ran out of time wait for another; the timer finds out until when.
        shared.bus.due(now);
        jobs.iter().for_each(|(id, _)| shared.bus.ended(*id));
    }
    Ok(next)
}

/// Sleeps until `next`, or until a lease ends before it.
async fn wait(shared: &Shared, mut next: Option<Timestamp>, steady: &Steady) -> Wake {
    let alarm = &shared.bus.lease_end;
    loop {
        // Once it was set, ends from before and after cannot be told apart.
        if steady.is_over(&*shared.clock) {
            return Wake::Late;
        }
        if let Some(earlier) = alarm.take() {
            next = Some(next.map_or(earlier, |next| next.min(earlier)));
        }
        let Some(at) = next else {
            alarm.until_earlier().await;
            continue;
        };
        let at_most = at.since(shared.clock.now()).as_millis() + LATE.as_millis();
        tokio::select! {
            biased;
            () = shared.clock.sleep_until(at) => {
                let late = shared.clock.now().since(at) > LATE;
                return if late { Wake::Late } else { Wake::InTime };
            }
            // The clock was set back meanwhile.
            () = shared.clock.pause(Span::from_millis(at_most)) => return Wake::Late,
            () = alarm.until_earlier() => {}
        }
    }
}
