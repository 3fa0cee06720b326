//! Deletes jobs that ended long ago, or that are too many, as the operator has said.

use std::sync::Arc;

use jobmill_model::{Span, State, Timestamp};
use jobmill_store::{Deleted, OldestQuery, StoreError};

use crate::engine::Shared;

/// Jobs of one step, so that the commit stays short and others come between two.
const BATCH: usize = 100;
/// The time between two rounds.
const ROUND: Span = Span::from_secs(60);

pub(crate) async fn run(shared: Arc<Shared>) {
    if shared.config.retention.limits().next().is_none() {
        return;
    }
    loop {
        match run_once(&shared).await {
            Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => shared.observer.store_failed("job_delete", &error),
        }
        shared.clock.pause(ROUND).await;
    }
}

async fn run_once(shared: &Shared) -> Result<(), StoreError> {
    for (state, keep) in shared.config.retention.limits() {
        let mut deleted = 0;
        if let Some(age) = keep.age {
            deleted += delete(shared, state, shared.clock.now().before(age), u64::MAX).await?;
        }
        if let Some(count) = keep.count {
            let there = shared.store.tally_read().await?.0.get(&state).copied().unwrap_or(0);
            deleted += delete(shared, state, FOREVER, there.saturating_sub(count)).await?;
        }
        shared.observer.retired(state, deleted);
    }
    Ok(())
}

/// Later than every end of a job.
const FOREVER: Timestamp = Timestamp::MAX;

/// Deletes up to `most` of the oldest jobs that ended before an instant; those that a parent
/// still needs stay. Answers how many are gone.
async fn delete(
    shared: &Shared,
    state: State,
    before: Timestamp,
    most: u64,
) -> Result<u64, StoreError> {
    let (mut after, mut deleted) = (None, 0);
    while deleted < most && !shared.is_draining() {
        let limit = usize::try_from(most - deleted).unwrap_or(BATCH).min(BATCH);
        let page = shared.store.job_oldest(&OldestQuery { state, before, after, limit }).await?;
        if !page.ids.is_empty() {
            let outcomes = shared.store.job_delete(&page.ids).await?;
            deleted += outcomes.iter().filter(|it| **it == Deleted::Done).count() as u64;
            shared.bus.litter();
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(deleted)
}
