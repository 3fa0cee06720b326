//! Queues: the names that jobs wait under, the order in which jobs leave, and the rules that
//! hold them back.

use std::fmt;
use std::sync::Arc;

use crate::limits::{DEFAULT_KEY_LIMIT, NAME_BYTES, PRIORITY, PRIORITY_STEP_MILLIS};
use crate::rate::Rate;
use crate::time::Timestamp;

/// The name of a flow, a queue or a tag: 1 to 128 printable characters without white space.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// The text cannot be a name; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError(&'static str);

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NameError {}

impl Name {
    /// Takes text as a name.
    ///
    /// # Errors
    /// Empty text, more than 128 bytes, white space or control characters.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError("a name may not be empty"));
        }
        if text.len() > NAME_BYTES {
            return Err(NameError("a name may have at most 128 bytes"));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(NameError("a name may not have white space or control characters"));
        }
        Ok(Self(text.into()))
    }

    /// Takes a name that is already known to be one, such as what a store gives back.
    #[must_use]
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// The queue of jobs that name none.
pub const DEFAULT_QUEUE: &str = "default";

/// How much a job is preferred; higher goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Priority(i32);

impl Priority {
    /// A priority between −1000 and 1000.
    #[must_use]
    pub fn new(level: i64) -> Option<Self> {
        let level = i32::try_from(level).ok()?;
        (-PRIORITY..=PRIORITY).contains(&level).then_some(Self(level))
    }

    /// The number.
    #[must_use]
    pub fn level(self) -> i32 {
        self.0
    }
}

/// How a queue lets its jobs go, besides its pause switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueRules {
    /// The most of its jobs that may be under a lease at once.
    pub concurrency: Option<u32>,
    /// How many of its jobs may be started in a time.
    pub rate: Option<Rate>,
    /// The most jobs of one key that may be under a lease at once, for each of its keys.
    pub key_limit: u32,
}

impl Default for QueueRules {
    /// No limit for the queue; one job at a time for each key.
    fn default() -> Self {
        Self { concurrency: None, rate: None, key_limit: DEFAULT_KEY_LIMIT }
    }
}

/// A job's place in its queue: the lowest leaves first.
///
/// It is the time at which the job may run, moved by a minute for each step of priority: a job
/// of higher priority overtakes those that came up to so many minutes before it, and no others,
/// so a job of low priority always comes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(pub i64);

impl Rank {
    /// The rank of a job that may run from `run_at`.
    #[must_use]
    pub fn of(run_at: Timestamp, priority: Priority) -> Self {
        Self(run_at.as_millis() - i64::from(priority.0) * PRIORITY_STEP_MILLIS)
    }

    /// The rank of a job that had to wait for others of its key and is let through at `now`.
    ///
    /// It lines up anew, behind whoever came before that moment: a key with many waiting jobs
    /// has no more than its limit of them ahead of another key's job.
    #[must_use]
    pub fn after_wait(run_at: Timestamp, now: Timestamp, priority: Priority) -> Self {
        Self::of(run_at.max(now), priority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_short_and_printable() {
        assert!(Name::new("workflow:orders").is_ok());
        for bad in ["", "a b", "a\nb", "\u{7f}", &"x".repeat(129)] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        /// Whatever is submitted later at whatever priority, at some point it no longer goes
        /// before a job that waits.
        #[test]
        fn no_job_is_overtaken_for_ever(low in -1_000i64..=1_000, high in -1_000i64..=1_000) {
            let rank = |minutes: i64, level| {
                let at = Timestamp::from_millis((minutes + 10_000) * 60_000);
                Rank::of(at, Priority::new(level).unwrap())
            };
            let waits = rank(0, low);
            prop_assert!(rank(2 * i64::from(PRIORITY) + 1, high) > waits);
            prop_assert!(rank(high - low - 1, high) < waits);
            prop_assert!(rank(high - low + 1, high) > waits);
        }
    }

    #[test]
    fn a_higher_priority_overtakes_by_minutes_and_no_more() {
        let at = |minutes: i64| Timestamp::from_millis(minutes * 60_000);
        let low = Rank::of(at(10), Priority::default());
        assert!(Rank::of(at(14), Priority(5)) < low);
        assert!(Rank::of(at(16), Priority(5)) > low);
    }
}
