//! So many starts in a time: a rate limit and what is used up of it.

use crate::time::{Span, Timestamp};

/// A rate limit: `count` starts in each `per`, at most `count` at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least 1.
    pub count: u32,
    /// In how long, at least a millisecond.
    pub per: Span,
}

/// What is used up of a rate limit; it refills steadily.
///
/// A start uses `per` units, and `count` units come back in each millisecond, so all numbers
/// are whole and no start is lost to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Units that are used up.
    pub units: u64,
    /// When that was so.
    pub at: Timestamp,
}

impl Default for Spent {
    fn default() -> Self {
        Self { units: 0, at: Timestamp::EPOCH }
    }
}

impl Rate {
    /// How many starts are free at `now`.
    #[must_use]
    pub fn free(self, spent: Spent, now: Timestamp) -> u32 {
        let left = self.capacity().saturating_sub(self.refilled(spent, now));
        u32::try_from(left / self.per_units()).unwrap_or(u32::MAX)
    }

    /// What is used up after `starts` more at `now`.
    #[must_use]
    pub fn spend(self, spent: Spent, starts: u32, now: Timestamp) -> Spent {
        let units = self.refilled(spent, now);
        let more = u64::from(starts).saturating_mul(self.per_units());
        Spent { units: units.saturating_add(more), at: now }
    }

    /// When the next start is free; nothing if one is at `now`.
    #[must_use]
    pub fn refills_at(self, spent: Spent, now: Timestamp) -> Option<Timestamp> {
        if self.free(spent, now) > 0 {
            return None;
        }
        let over = self.refilled(spent, now) + self.per_units() - self.capacity();
        Some(
            now.max(spent.at).after(Span::from_millis(over.div_ceil(u64::from(self.count.max(1))))),
        )
    }

    fn per_units(self) -> u64 {
        self.per.as_millis().max(1)
    }

    fn capacity(self) -> u64 {
        u64::from(self.count).saturating_mul(self.per_units())
    }

    /// What is left of the units used up. A clock that was set back a little refills nothing
    /// until it has come round; one that was set back further than the limit's time starts anew,
    /// so that a wrong clock holds a queue no longer than twice that time.
    fn refilled(self, spent: Spent, now: Timestamp) -> u64 {
        let millis = now.as_millis().saturating_sub(spent.at.as_millis());
        match u64::try_from(millis) {
            Ok(passed) => spent.units.saturating_sub(passed.saturating_mul(u64::from(self.count))),
            Err(_) if millis.unsigned_abs() > self.per_units() => 0,
            Err(_) => spent.units,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    #[test]
    fn a_full_rate_lets_its_count_go_at_once_and_then_one_at_a_time() {
        let rate = Rate { count: 4, per: Span::from_secs(1) };
        let spent = rate.spend(Spent::default(), 4, at(0));
        assert_eq!(rate.free(spent, at(0)), 0);
        assert_eq!(rate.refills_at(spent, at(0)), Some(at(250)));
        assert_eq!((rate.free(spent, at(249)), rate.free(spent, at(250))), (0, 1));
        assert_eq!(rate.free(spent, at(60_000)), 4, "no more than the count is saved up");
        assert_eq!(rate.refills_at(spent, at(250)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_a_queue_no_longer_than_twice_its_time() {
        let rate = Rate { count: 1, per: Span::from_secs(1) };
        let spent = rate.spend(Spent::default(), 1, at(7_200_000));
        assert_eq!(rate.free(spent, at(0)), 1);
        assert_eq!(rate.free(spent, at(7_199_500)), 0);
        assert_eq!(rate.refills_at(spent, at(7_199_500)), Some(at(7_201_000)));
    }

    proptest! {
        /// Over any stretch of time no more than the count and what refilled in it has started.
        #[test]
        fn starts_keep_to_the_rate(
            count in 1u32..20, per in 1u64..5_000, gaps in prop::collection::vec(0i64..400, 1..80),
        ) {
            let rate = Rate { count, per: Span::from_millis(per) };
            let (mut spent, mut now, mut started) = (Spent::default(), 0, 0u64);
            for gap in gaps {
                now += gap;
                let free = rate.free(spent, at(now));
                spent = rate.spend(spent, free, at(now));
                started += u64::from(free);
                let most = u64::from(count) + now as u64 * u64::from(count) / per;
                prop_assert!(started <= most, "{started} of {most} at {now}");
                let next = rate.refills_at(spent, at(now)).expect("all is used up");
                prop_assert!(rate.free(spent, next) > 0);
                let before = Timestamp::from_millis(next.as_millis() - 1);
                prop_assert_eq!(rate.free(spent, before), 0);
            }
        }
    }
}
