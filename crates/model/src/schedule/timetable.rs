//! When a schedule ticks: its expression, read on the clocks of its zone.
//!
//! A zone's clocks are set forward and back. An expression that names every hour goes by the time
//! that passes: it ticks at each instant whose local time it names, so twice through the doubled
//! hour and not at all in the skipped one. Any other goes by the clock on the wall: a time in the
//! doubled hour ticks the first time only, and what lies in the skipped hour ticks once, at the
//! change, or is skipped ([`ClockChange`]).

use std::collections::VecDeque;

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::Word;
use super::cron::Cron;
use super::zone::Zone;
use crate::time::{Span, Timestamp};

/// What becomes of times in an hour that a zone's clocks skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClockChange {
    /// All of them together tick once, at the change.
    #[default]
    Fire,
    /// They do not tick.
    Skip,
}

impl Word for ClockChange {
    const WORDS: &'static [(&'static str, Self)] = &[("fire", Self::Fire), ("skip", Self::Skip)];
}

/// When a schedule ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    /// The expression.
    pub cron: Cron,
    /// The zone whose clocks it is read on.
    pub zone: Zone,
    /// What becomes of times in a skipped hour.
    pub clock_change: ClockChange,
}

/// A stretch of time in which a zone's clocks run evenly.
struct Stretch {
    offset: Offset,
    /// Its beginning, and what the clocks showed then before they were set.
    begin: Option<(jiff::Timestamp, DateTime)>,
    end: Option<jiff::Timestamp>,
}

/// The first look back for the last ticks; each further one goes four times as far.
const LOOK_BACK: Span = Span::from_secs(3_600);

impl Timetable {
    /// The first tick after an instant; none if there is none in this age.
    #[must_use]
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let first = at.as_millis().div_euclid(1_000) + 1;
        let mut from = jiff::Timestamp::from_second(first).ok()?;
        loop {
            let stretch = self.stretch(from)?;
            if let Some(tick) = self.first_in(&stretch, from) {
                return Some(Timestamp::from_millis(tick.as_millisecond()));
            }
            from = stretch.end?;
        }
    }

    /// The last ticks from `first` to `now`, both included: at most `most`, in order.
    #[must_use]
    pub fn last_between(&self, first: Timestamp, now: Timestamp, most: usize) -> Vec<Timestamp> {
        let before_first = Timestamp::from_millis(first.as_millis() - 1);
        let mut back = LOOK_BACK;
        loop {
            let from = now.before(back).max(before_first);
            let (mut at, mut last) = (from, VecDeque::new());
            while let Some(tick) = self.next_after(at).filter(|tick| *tick <= now) {
                last.push_back(tick);
                if last.len() > most {
                    last.pop_front();
                }
                at = tick;
            }
            if last.len() == most || from == before_first {
                return last.into();
            }
            back = Span::from_millis(back.as_millis().saturating_mul(4));
        }
    }

    /// The even stretch that an instant lies in.
    fn stretch(&self, at: jiff::Timestamp) -> Option<Stretch> {
        let rules = self.zone.rules();
        let second = jiff::SignedDuration::from_secs(1);
        let begin = rules.preceding(at.checked_add(second).ok()?).next().and_then(|change| {
            let change = change.timestamp();
            let earlier = change.checked_sub(second).ok()?;
            Some((change, rules.to_offset(earlier).to_datetime(change)))
        });
        let end = rules.following(at).next().map(|change| change.timestamp());
        Some(Stretch { offset: rules.to_offset(at), begin, end })
    }

    /// The first tick of a stretch at or after `from`, which lies in it.
    fn first_in(&self, stretch: &Stretch, from: jiff::Timestamp) -> Option<jiff::Timestamp> {
        let mut local = stretch.offset.to_datetime(from);
        if let Some((begin, shown)) = stretch.begin
            && !self.cron.is_hourly()
        {
            let set_to = stretch.offset.to_datetime(begin);
            let skipped = begin == from && self.clock_change == ClockChange::Fire;
            if skipped && self.cron.first_from(shown).is_some_and(|time| time < set_to) {
                return Some(begin);
            }
            // Set back: the clocks show times again that have been there.
            local = local.max(shown);
        }
        let tick = stretch.offset.to_timestamp(self.cron.first_from(local)?).ok()?;
        stretch.end.is_none_or(|end| tick < end).then_some(tick)
    }
}

#[cfg(test)]
mod tests;
