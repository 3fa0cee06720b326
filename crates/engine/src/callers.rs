//! Workers outside that wait for jobs, and who of them is woken for which.
//!
//! A new job wakes one caller that can perform it, so that a thousand waiting workers do not all
//! ask the store for one job. Where it is not known what has become claimable, all are woken.
//! A caller that is woken and goes away instead passes the word on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_model::Span;
use jobmill_model::queue::Name;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// The flows that a caller can perform, and how long it keeps a job of each.
pub(crate) type Spans = Arc<BTreeMap<Name, Span>>;

#[derive(Default)]
pub(crate) struct Callers(Arc<Mutex<BTreeMap<Name, VecDeque<Arc<Waiting>>>>>);

struct Waiting {
    flows: Spans,
    woken: AtomicBool,
    wake: Notify,
}

/// A caller's place among those who wait; given up when it is dropped.
pub(crate) struct Caller {
    callers: Callers,
    queue: Name,
    waiting: Arc<Waiting>,
}

impl Waiting {
    fn wake(&self) {
        self.woken.store(true, Ordering::Release);
        self.wake.notify_one();
    }
}

impl Callers {
    /// Takes a place; look for jobs after that, so that none is missed.
    pub(crate) fn join(&self, queue: &Name, flows: Spans) -> Caller {
        let woken = AtomicBool::new(false);
        let waiting = Arc::new(Waiting { flows, woken, wake: Notify::new() });
        self.0.lock().entry(queue.clone()).or_default().push_back(waiting.clone());
        Caller { callers: Self(self.0.clone()), queue: queue.clone(), waiting }
    }

    /// A job of this flow has become claimable in this queue.
    pub(crate) fn wake_one(&self, queue: &Name, flow: &Name) {
        self.wake_first(queue, |waiting| waiting.flows.contains_key(flow));
    }

    /// Jobs may have become claimable anywhere.
    pub(crate) fn wake_all(&self) {
        self.0.lock().values().flatten().for_each(|waiting| waiting.wake());
    }

    /// Wakes whoever has waited longest and is not woken yet.
    fn wake_first(&self, queue: &Name, fits: impl Fn(&Waiting) -> bool) {
        let queues = self.0.lock();
        let mut waiting = queues.get(queue).into_iter().flatten();
        let asleep =
            |waiting: &&Arc<Waiting>| !waiting.woken.load(Ordering::Acquire) && fits(waiting);
        if let Some(waiting) = waiting.find(asleep) {
            waiting.wake();
        }
    }
}

impl Caller {
    /// Takes the word that it was woken by; to be done before looking for jobs.
    pub(crate) fn look(&self) {
        self.waiting.woken.store(false, Ordering::Release);
    }

    pub(crate) async fn until_woken(&self) {
        self.waiting.wake.notified().await;
    }

    /// Tells another caller that there may be more.
    pub(crate) fn pass_on(&self) {
        self.callers.wake_first(&self.queue, |_| true);
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        {
            let mut queues = self.callers.0.lock();
            if let Some(callers) = queues.get_mut(&self.queue) {
                callers.retain(|waiting| !Arc::ptr_eq(waiting, &self.waiting));
                if callers.is_empty() {
                    queues.remove(&self.queue);
                }
            }
        }
        if self.waiting.woken.load(Ordering::Acquire) {
            self.pass_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::trusted(text)
    }

    fn join(callers: &Callers, flow: &str) -> Caller {
        callers.join(&name("q"), Arc::new([(name(flow), Span::ZERO)].into()))
    }

    fn is_woken(caller: &Caller) -> bool {
        caller.waiting.woken.load(Ordering::Acquire)
    }

    #[test]
    fn a_job_wakes_the_one_who_has_waited_longest_and_can_perform_it() {
        let callers = Callers::default();
        let [other, one, two] = ["g", "f", "f"].map(|flow| join(&callers, flow));
        callers.wake_one(&name("elsewhere"), &name("f"));
        callers.wake_one(&name("q"), &name("f"));
        assert_eq!([&other, &one, &two].map(is_woken), [false, true, false]);
        callers.wake_one(&name("q"), &name("f"));
        assert!(is_woken(&two), "the first has its word already");
    }

    #[test]
    fn a_woken_caller_that_goes_away_passes_the_word_on() {
        let callers = Callers::default();
        let (one, two) = (join(&callers, "f"), join(&callers, "f"));
        callers.wake_one(&name("q"), &name("f"));
        drop(one);
        assert!(is_woken(&two));
        two.look();
        drop(two);
        assert!(callers.0.lock().is_empty(), "nobody is left behind");
    }
}
