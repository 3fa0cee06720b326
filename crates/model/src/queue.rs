//! Queues: the names that jobs wait under, and the order in which jobs leave.

use std::fmt;
use std::sync::Arc;

use crate::limits::{NAME_BYTES, PRIORITY, PRIORITY_STEP_MILLIS};
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_printable() {
        assert!(Name::new("workflow:orders").is_ok());
        for bad in ["", "a b", "a\nb", "\u{7f}", &"x".repeat(129)] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
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
