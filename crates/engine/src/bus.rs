//! Wake-ups between the parts of the engine. They never carry data: whoever is woken looks again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jobmill_model::{JobId, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::callers::Callers;
use crate::places::Kind;

#[derive(Default)]
pub(crate) struct Bus {
    /// By kind.
    ready: [Notify; 2],
    due: Alarm,
    litter: Notify,
    /// The end of a lease of a worker outside.
    pub(crate) lease_end: Alarm,
    /// Workers outside that wait for jobs.
    pub(crate) callers: Callers,
    rules: Notify,
    waiters: Mutex<HashMap<JobId, Waiters>>,
    schedules: Notify,
    /// Jobs whose end schedules wait for.
    held_by: Mutex<HashSet<JobId>>,
}

struct Waiters {
    count: usize,
    notify: Arc<Notify>,
}

/// Something that is to be done at a time.
#[derive(Default)]
pub(crate) struct Alarm {
    next: Mutex<Option<Timestamp>>,
    earlier: Notify,
}

impl Alarm {
    /// There will be something to do at `at`.
    pub(crate) fn set(&self, at: Timestamp) {
        let mut next = self.next.lock();
        if next.is_none_or(|known| at < known) {
            *next = Some(at);
            self.earlier.notify_one();
        }
    }

    /// Takes the earliest time that was set.
    pub(crate) fn take(&self) -> Option<Timestamp> {
        self.next.lock().take()
    }

    /// Returns when an earlier time was set.
    pub(crate) async fn until_earlier(&self) {
        self.earlier.notified().await;
    }
}

impl Bus {
    /// Jobs may have become claimable.
    pub(crate) fn ready(&self) {
        self.ready.iter().for_each(Notify::notify_one);
        self.callers.wake_each_kind();
    }

    /// A job of a kind may have become claimable that this process may perform, or a place for
    /// one may have become free.
    pub(crate) fn ready_here(&self, kind: Kind) {
        self.ready[kind as usize].notify_one();
    }

    pub(crate) async fn until_ready(&self, kind: Kind) {
        self.ready[kind as usize].notified().await;
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
        self.due.set(at);
    }

    /// Takes the earliest time at which a job is known to be due.
    pub(crate) fn take_due(&self) -> Option<Timestamp> {
        self.due.take()
    }

    pub(crate) async fn until_due_changes(&self) {
        self.due.until_earlier().await;
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
        if self.held_by.lock().contains(&id) {
            self.schedules.notify_one();
        }
    }

    /// A schedule has changed.
    pub(crate) fn schedules(&self) {
        self.schedules.notify_one();
    }

    pub(crate) async fn until_schedules_change(&self) {
        self.schedules.notified().await;
    }

    /// Schedules wait for the end of these jobs and no others; answers whether one of them is
    /// new, so that it may have ended before.
    pub(crate) fn hold_schedules(&self, jobs: &[JobId]) -> bool {
        let mut held_by = self.held_by.lock();
        let any_new = jobs.iter().any(|id| !held_by.contains(id));
        *held_by = jobs.iter().copied().collect();
        any_new
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
