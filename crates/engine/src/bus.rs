//! Wake-ups between the parts of the engine. They never carry data: whoever is woken looks again.

use std::collections::HashMap;
use std::sync::Arc;

use jobmill_model::{JobId, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

#[derive(Default)]
pub(crate) struct Bus {
    ready: Notify,
    due: Notify,
    litter: Notify,
    rules: Notify,
    next_due: Mutex<Option<Timestamp>>,
    waiters: Mutex<HashMap<JobId, Waiters>>,
}

struct Waiters {
    count: usize,
    notify: Arc<Notify>,
}

impl Bus {
    /// Jobs may have become claimable, or a place may have become free.
    pub(crate) fn ready(&self) {
        self.ready.notify_one();
    }

    pub(crate) async fn until_ready(&self) {
        self.ready.notified().await;
    }

    /// There may be chunks to sweep.
    pub(crate) fn litter(&self) {
        self.litter.notify_one();
    }

    pub(crate) async fn until_litter(&self) {
        self.litter.notified().await;
    }

    /// A job will be due at `at`.
    pub(crate) fn due(&self, at: Timestamp) {
        let mut next = self.next_due.lock();
        if next.is_none_or(|known| at < known) {
            *next = Some(at);
            self.due.notify_one();
        }
    }

    /// Takes the earliest time at which a job is known to be due.
    pub(crate) fn take_due(&self) -> Option<Timestamp> {
        self.next_due.lock().take()
    }

    pub(crate) async fn until_due_changes(&self) {
        self.due.notified().await;
    }

    /// The rules of a queue have changed.
    pub(crate) fn rules_changed(&self) {
        self.rules.notify_one();
    }

    pub(crate) async fn until_rules_change(&self) {
        self.rules.notified().await;
    }

    /// A job has ended.
    pub(crate) fn ended(&self, id: JobId) {
        if let Some(waiters) = self.waiters.lock().get(&id) {
            waiters.notify.notify_waiters();
        }
    }

    /// A subscription to the end of one job; look at the job after making it.
    pub(crate) fn subscribe(self: &Arc<Self>, id: JobId) -> Subscription {
        let mut waiters = self.waiters.lock();
        let entry =
            waiters.entry(id).or_insert_with(|| Waiters { count: 0, notify: Arc::default() });
        entry.count += 1;
        Subscription { bus: self.clone(), id, notify: entry.notify.clone() }
    }
}

pub(crate) struct Subscription {
    bus: Arc<Bus>,
    id: JobId,
    pub(crate) notify: Arc<Notify>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut waiters = self.bus.waiters.lock();
        if let Some(entry) = waiters.get_mut(&self.id) {
            entry.count -= 1;
            if entry.count == 0 {
                waiters.remove(&self.id);
            }
        }
    }
}
