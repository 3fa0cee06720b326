//! How many jobs this process takes on at once.
//!
//! A place is held from before a job is leased until its work is done or parked. Jobs of one call
//! keep a worker busy: there is a place for each worker, and some more for short jobs, so that
//! workers do not wait for the next commit: as many as the workers are expected to get through
//! within [`AHEAD`]. A machine mostly waits for calls and commits, and there may be many more.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use jobmill_model::limits::MACHINES_AT_ONCE;

/// A job waits in the process for about this long before a worker gets to it.
const AHEAD: Duration = Duration::from_millis(20);
/// The most jobs that wait in the process for a worker.
const AHEAD_JOBS: usize = 512;
/// A duration weighs this much less with each one that follows.
const FADE: u64 = 16;

/// What a job keeps busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A worker.
    Call,
    /// Next to nothing.
    Machine,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Call, Self::Machine];
}

pub(crate) struct Places {
    workers: usize,
    /// How many are held, by kind.
    held: [AtomicUsize; 2],
    typical_nanos: AtomicU64,
}

impl Places {
    pub(crate) fn new(workers: usize) -> Self {
        let typical_nanos = AtomicU64::new(u64::MAX / FADE);
        Self { workers, held: Default::default(), typical_nanos }
    }

    /// Takes up to `wanted` free places; answers how many.
    pub(crate) fn reserve(&self, kind: Kind, wanted: usize) -> usize {
        let limit = self.limit(kind);
        let mut got = 0;
        let take = |held| {
            got = wanted.min(limit.saturating_sub(held));
            (got > 0).then_some(held + got)
        };
        let held = &self.held[kind as usize];
        let _ = held.fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        got
    }

    pub(crate) fn release(&self, kind: Kind, count: usize) {
        self.held[kind as usize].fetch_sub(count, Ordering::AcqRel);
    }

    /// How many places are held.
    pub(crate) fn held(&self) -> usize {
        self.held.iter().map(|held| held.load(Ordering::Acquire)).sum()
    }

    /// Whether no place is free.
    pub(crate) fn are_all_held(&self, kind: Kind) -> bool {
        self.held[kind as usize].load(Ordering::Acquire) >= self.limit(kind)
    }

    /// Learns from a finished job how long jobs take.
    pub(crate) fn learn(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX / FADE).min(u64::MAX / FADE);
        let old = self.typical_nanos.load(Ordering::Relaxed);
        let typical = if nanos > old { nanos } else { old - old / FADE + nanos / FADE };
        self.typical_nanos.store(typical, Ordering::Relaxed);
    }

    fn limit(&self, kind: Kind) -> usize {
        if kind == Kind::Machine {
            return MACHINES_AT_ONCE;
        }
        let typical = u128::from(self.typical_nanos.load(Ordering::Relaxed).max(1));
        let each = usize::try_from(AHEAD.as_nanos() / typical).unwrap_or(AHEAD_JOBS);
        self.workers + (each.saturating_mul(self.workers)).min(AHEAD_JOBS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_and_calls_have_places_of_their_own() {
        let places = Places::new(1);
        assert_eq!(places.reserve(Kind::Machine, 2 * MACHINES_AT_ONCE), MACHINES_AT_ONCE);
        assert_eq!(places.reserve(Kind::Machine, 1), 0);
        assert!(places.are_all_held(Kind::Machine) && !places.are_all_held(Kind::Call));
        assert_eq!(places.reserve(Kind::Call, 2), 1);
        places.release(Kind::Machine, 3);
        assert_eq!(places.reserve(Kind::Machine, 5), 3);
        assert_eq!(places.held(), MACHINES_AT_ONCE + 1);
    }

    #[test]
    fn only_workers_take_long_jobs_and_short_jobs_are_taken_ahead() {
        let places = Places::new(4);
        assert_eq!(places.reserve(Kind::Call, 100), 4);
        assert_eq!(places.reserve(Kind::Call, 1), 0);
        places.release(Kind::Call, 4);
        (0..2_000).for_each(|_| places.learn(Duration::from_micros(10)));
        assert_eq!(places.reserve(Kind::Call, 10_000), 4 + AHEAD_JOBS);
        places.learn(Duration::from_secs(1));
        places.release(Kind::Call, 4 + AHEAD_JOBS);
        assert_eq!(places.reserve(Kind::Call, 100), 4);
    }
}
