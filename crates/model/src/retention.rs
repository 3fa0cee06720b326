//! How long jobs that have ended are kept.

use std::fmt;
use std::str::FromStr;

use crate::job::State;
use crate::time::Span;

/// How long, and how many, of the jobs that ended in one way are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// For so long after their end; for ever if nothing is said.
    pub age: Option<Span>,
    /// So many, those submitted last; all if nothing is said.
    pub count: Option<u64>,
}

/// What [`Keep`] is read from, as an error says it.
const EXPECTED: &str = "`forever`, a duration such as 30d, a number of jobs such as 100000, or \
                        both: 30d,100000";

impl FromStr for Keep {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut keep = Self::default();
        if text.trim() == "forever" {
            return Ok(keep);
        }
        for part in text.split(',').map(str::trim) {
            let digits = part.replace('_', "");
            let is_new = match digits.parse() {
                Ok(count) => keep.count.replace(count).is_none(),
                Err(_) => {
                    let age = part.parse().map_err(|_| EXPECTED)?;
                    keep.age.replace(age).is_none()
                }
            };
            if !is_new {
                return Err(EXPECTED);
            }
        }
        Ok(keep)
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.age, self.count) {
            (None, None) => f.write_str("forever"),
            (Some(age), None) => write!(f, "{age}"),
            (None, Some(count)) => write!(f, "{count}"),
            (Some(age), Some(count)) => write!(f, "{age},{count}"),
        }
    }
}

/// What is kept of the jobs that have ended, by how they ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Of the completed ones.
    pub completed: Keep,
    /// Of the failed ones.
    pub failed: Keep,
    /// Of the cancelled ones.
    pub cancelled: Keep,
}

impl Retention {
    /// The states that have a limit, each with it.
    pub fn limits(self) -> impl Iterator<Item = (State, Keep)> {
        let all = [
            (State::Completed, self.completed),
            (State::Failed, self.failed),
            (State::Cancelled, self.cancelled),
        ];
        all.into_iter().filter(|(_, keep)| *keep != Keep::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_reads_back_and_says_what_is_expected() {
        for text in ["forever", "720h", "100000", "720h,5"] {
            let keep: Keep = text.parse().unwrap();
            assert_eq!(keep.to_string().parse(), Ok(keep), "{text}");
        }
        let both = Keep { age: Some(Span::from_secs(86_400)), count: Some(100_000) };
        assert_eq!("1d, 100_000".parse(), Ok(both));
        assert_eq!("100000,1d".parse(), Ok(both));
        for bad in ["", "never", "1,2", "1d,2d", "-1", "1d,,2", "1.5"] {
            assert_eq!(bad.parse::<Keep>(), Err(EXPECTED), "{bad:?}");
        }
    }

    #[test]
    fn only_states_with_a_limit_are_looked_at() {
        assert_eq!(Retention::default().limits().count(), 0);
        let keep = Keep { count: Some(0), ..Keep::default() };
        let retention = Retention { failed: keep, ..Retention::default() };
        assert_eq!(retention.limits().collect::<Vec<_>>(), [(State::Failed, keep)]);
    }
}
