//! Queues: what an operator may set, and when the engine has to look again because of it.

use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_model::queue::{Name, QueueRules};
use jobmill_model::{State, Timestamp, limits};
use jobmill_store::{QueueStanding, Store, StoreError};

use crate::engine::{Engine, Shared};
use crate::unhurried::Unhurried;

/// What holds jobs back besides their time, as far as it makes a difference to this process.
///
/// A server without limits and keys asks nothing more of its store than before.
#[derive(Default)]
pub(crate) struct Holds {
    /// An end may let another job go: there are limits of queues, keys or batches.
    ends: AtomicBool,
    /// Time may let a job go: there are rates.
    rates: AtomicBool,
}

impl Holds {
    /// Finds out what the store knows of.
    pub(crate) async fn load(store: &dyn Store, now: Timestamp) -> Result<Self, StoreError> {
        let holds = Self::default();
        // Any of them may have a key or be of a batch.
        let unfinished = |(state, count): (&State, &u64)| !state.is_final() && *count > 0;
        holds.learn(&QueueRules::default(), store.tally_read().await?.0.iter().any(unfinished));
        let mut after = None;
        loop {
            let page = store.queue_list(after.as_ref(), limits::PAGE_ROWS_MAX, now).await?;
            page.iter().for_each(|queue| holds.learn(&queue.rules, false));
            match page.last() {
                Some(last) => after = Some(last.name.clone()),
                None => return Ok(holds),
            }
        }
    }

    /// Takes note of rules, and of whether there are jobs that others may hold back.
    pub(crate) fn learn(&self, rules: &QueueRules, jobs: bool) {
        if jobs || rules.concurrency.is_some() {
            self.ends.store(true, Ordering::Relaxed);
        }
        if rules.rate.is_some() {
            self.rates.store(true, Ordering::Relaxed);
        }
    }
}

impl Shared {
    /// A lease or a place may have come free: wakes whoever claims, if somebody waits for that.
    pub(crate) fn made_room(&self) {
        if self.holds.ends.load(Ordering::Relaxed) {
            self.bus.ready();
        }
    }

    /// When a rate limit lets the next job go; the end of time if none holds one back.
    pub(crate) async fn refill(&self) -> Timestamp {
        if !self.holds.rates.load(Ordering::Relaxed) {
            return Timestamp::MAX;
        }
        match self.store.queue_refill(self.clock.now()).await {
            Ok(refill) => refill.unwrap_or(Timestamp::MAX),
            Err(error) => {
                self.observer.store_failed("queue_refill", &error);
                self.clock.now().after(crate::claim::PAUSE)
            }
        }
    }
}

impl Engine {
    /// Queues by name from the one after `after` on.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn queues(
        &self,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<QueueStanding>, StoreError> {
        self.shared.store.queue_list(after, limit, self.now()).await
    }

    /// A queue as it stands; one that was never heard of is empty.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn queue(&self, name: &Name) -> Result<QueueStanding, StoreError> {
        self.shared.store.queue_get(name, self.now()).await
    }

    /// Sets the rules of a queue; they hold for what is claimed from now on.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn queue_put(
        &self,
        name: &Name,
        rules: QueueRules,
    ) -> Result<QueueStanding, StoreError> {
        let (shared, name) = (self.shared.clone(), name.clone());
        let put = async move {
            // Before it holds, so that no end goes by unseen.
            shared.holds.learn(&rules, false);
            shared.store.queue_put(&name, &rules).await?;
            shared.bus.rules_changed();
            shared.bus.ready();
            shared.store.queue_get(&name, shared.clock.now()).await
        };
        Unhurried::new(put).await
    }

    /// Pauses a queue or lets it go on.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn queue_pause(
        &self,
        name: &Name,
        paused: bool,
    ) -> Result<QueueStanding, StoreError> {
        let (shared, name) = (self.shared.clone(), name.clone());
        let pause = async move {
            shared.store.queue_pause(&name, paused).await?;
            shared.bus.ready();
            shared.store.queue_get(&name, shared.clock.now()).await
        };
        Unhurried::new(pause).await
    }
}
