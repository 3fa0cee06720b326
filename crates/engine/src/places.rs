//! How many jobs this process takes on at once.
//!
//! A place is held from the claim of a job until its work is done or parked. There is one for
//! each worker, and some more for short jobs, so that workers do not wait for the next commit:
//! as many as the workers are expected to get through within [`AHEAD`].
//!
//! A machine that is driven mostly waits for calls and commits, so it steps aside: it gives its
//! place back and counts among the machines, of which there may be many more.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use jobmill_model::limits::MACHINES_AT_ONCE;

/// A job waits in the process for about this long before a worker gets to it.
const AHEAD: Duration = Duration::from_millis(20);
/// The most jobs that wait in the process for a worker.
const AHEAD_JOBS: usize = 512;
/// A duration weighs this much less with each one that follows.
const FADE: u64 = 16;

pub(crate) struct Places {
    workers: usize,
    taken: AtomicUsize,
    machines: AtomicUsize,
    typical_nanos: AtomicU64,
}

impl Places {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            taken: AtomicUsize::new(0),
            machines: AtomicUsize::new(0),
            typical_nanos: AtomicU64::new(u64::MAX / FADE),
        }
    }

    /// Takes up to `wanted` free places; answers how many.
    pub(crate) fn reserve(&self, wanted: usize) -> usize {
        let limit = self.limit();
        let mut got = 0;
        let _ = self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            got = wanted.min(limit.saturating_sub(taken));
            (got > 0).then_some(taken + got)
        });
        got
    }

    pub(crate) fn release(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::AcqRel);
    }

    /// Counts one more machine, if there is room for it among them: then its place is free.
    pub(crate) fn step_aside(&self) -> bool {
        let one_more = |count| (count < MACHINES_AT_ONCE).then_some(count + 1);
        self.machines.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// Counts one machine less.
    pub(crate) fn step_off(&self) {
        self.machines.fetch_sub(1, Ordering::AcqRel);
    }

    /// How many machines have stepped aside.
    pub(crate) fn aside(&self) -> usize {
        self.machines.load(Ordering::Acquire)
    }

    /// How many places are held.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    /// Whether no place is free.
    pub(crate) fn are_all_taken(&self) -> bool {
        self.taken() >= self.limit()
    }

    /// Learns from a finished job how long jobs take.
    pub(crate) fn learn(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX / FADE).min(u64::MAX / FADE);
        let old = self.typical_nanos.load(Ordering::Relaxed);
        let typical = if nanos > old { nanos } else { old - old / FADE + nanos / FADE };
        self.typical_nanos.store(typical, Ordering::Relaxed);
    }

    fn limit(&self) -> usize {
        let typical = u128::from(self.typical_nanos.load(Ordering::Relaxed).max(1));
        let each = usize::try_from(AHEAD.as_nanos() / typical).unwrap_or(AHEAD_JOBS);
        self.workers + (each.saturating_mul(self.workers)).min(AHEAD_JOBS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_step_aside_up_to_their_limit() {
        let places = Places::new(1);
        assert!((0..MACHINES_AT_ONCE).all(|_| places.step_aside()));
        assert!(!places.step_aside());
        places.step_off();
        assert!(places.step_aside());
        assert_eq!(places.aside(), MACHINES_AT_ONCE);
    }

    #[test]
    fn only_workers_take_long_jobs_and_short_jobs_are_taken_ahead() {
        let places = Places::new(4);
        assert_eq!(places.reserve(100), 4);
        assert_eq!(places.reserve(1), 0);
        places.release(4);
        (0..2_000).for_each(|_| places.learn(Duration::from_micros(10)));
        assert_eq!(places.reserve(10_000), 4 + AHEAD_JOBS);
        places.learn(Duration::from_secs(1));
        places.release(4 + AHEAD_JOBS);
        assert_eq!(places.reserve(100), 4);
    }
}
