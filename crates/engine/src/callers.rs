//! Workers outside that wait for jobs, and who of them is woken for which.
//!
//! A new job wakes one caller that can perform it, so that a thousand waiting workers do not all
//! ask the store for one job. Where it is not known what has become claimable, one is woken of
//! all those that can perform the same: it passes the word on if there may be more than it took,
//! if it was refused, or if it goes away instead.

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
    fn is_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

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
        let queues = self.0.lock();
        let mut waiting = queues.get(queue).into_iter().flatten();
        if let Some(waiting) = waiting.find(|it| !it.is_woken() && it.flows.contains_key(flow)) {
            waiting.wake();
        }
    }

    /// Jobs may have become claimable anywhere.
    pub(crate) fn wake_each_kind(&self) {
        self.0.lock().values().for_each(|waiting| wake_each_kind(waiting, |_| true));
    }
}

/// Wakes, of those who can perform the same, the one who has waited longest, unless one of them
/// has its word already and has yet to look.
fn wake_each_kind(waiting: &VecDeque<Arc<Waiting>>, fits: impl Fn(&Waiting) -> bool) {
    let fitting = || waiting.iter().filter(|waiting| fits(waiting));
    let woken = fitting().filter(|waiting| waiting.is_woken());
    let mut kinds: Vec<&Spans> = woken.map(|waiting| &waiting.flows).collect();
    for waiting in fitting().filter(|waiting| !waiting.is_woken()) {
        if !kinds.iter().any(|kind| kind.keys().eq(waiting.flows.keys())) {
            kinds.push(&waiting.flows);
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

    /// Tells others that there may be more of what it can perform.
    pub(crate) fn pass_on(&self) {
        let mine = &self.waiting;
        let shares = |other: &Waiting| {
            !std::ptr::eq(other, &**mine)
                && other.flows.keys().any(|it| mine.flows.contains_key(it))
        };
        if let Some(waiting) = self.callers.0.lock().get(&self.queue) {
            wake_each_kind(waiting, shares);
        }
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
        if self.waiting.is_woken() {
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
        caller.waiting.is_woken()
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
    fn of_those_who_can_perform_the_same_one_is_woken_and_passes_it_on() {
        let callers = Callers::default();
        let all = ["f", "f", "g", "f"].map(|flow| join(&callers, flow));
        callers.wake_each_kind();
        assert_eq!(all.each_ref().map(is_woken), [true, false, true, false]);
        callers.wake_each_kind();
        assert_eq!(
            all.each_ref().map(is_woken),
            [true, false, true, false],
            "they have yet to look"
        );
        all[0].look();
        all[0].pass_on();
        assert_eq!(all.each_ref().map(is_woken), [false, true, true, false]);
        all[0].pass_on();
        assert_eq!(all.each_ref().map(is_woken), [false, true, true, false]);
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
