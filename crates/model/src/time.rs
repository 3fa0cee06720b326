//! Instants and durations, as numbers inside and as text on the wire.
//!
//! Inside, an instant is a count of milliseconds since 1970 in UTC. On the wire it is RFC 3339
//! in UTC with milliseconds, and a duration is text such as `30s`, `5m` or `1h30m`.

use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;

/// An instant, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A length of time, in milliseconds, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

/// The text is not a time or not a duration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeError(String);

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TimeError {}

/// The last instant that can be written in every time zone: 9999-12-30T22:00:00.999Z.
const LAST_MILLIS: i64 = 253_402_207_200_999;

impl Timestamp {
    /// The first instant.
    pub const EPOCH: Self = Self(0);
    /// The last instant that can be written.
    pub const MAX: Self = Self(LAST_MILLIS);

    /// The instant so many milliseconds after 1970, held within the years 1970 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, LAST_MILLIS))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The instant `span` later; stops at the year 9999.
    #[must_use]
    pub fn after(self, span: Span) -> Self {
        Self::from_millis(self.0.saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// The instant `span` earlier; stops at the year 1970.
    #[must_use]
    pub fn before(self, span: Span) -> Self {
        Self::from_millis(self.0.saturating_sub(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// The time from `earlier` to this instant; nothing if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{instant:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Reads RFC 3339 with any offset; keeps milliseconds.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || {
            TimeError(format!(
                "not a time: {text:?}; expected RFC 3339 such as 2026-01-02T03:04:05Z"
            ))
        };
        let instant: jiff::Timestamp = text.parse().map_err(|_| error())?;
        let millis = instant.as_millisecond();
        (0..=LAST_MILLIS).contains(&millis).then_some(Self(millis)).ok_or_else(error)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// So many milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// So many seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl From<Span> for std::time::Duration {
    fn from(span: Span) -> Self {
        Self::from_millis(span.0)
    }
}

impl fmt::Display for Span {
    /// Writes the shortest exact form: `1h30m`, `2s500ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.0 / 86_400_000, "d"),
            (self.0 / 3_600_000 % 24, "h"),
            (self.0 / 60_000 % 60, "m"),
            (self.0 / 1_000 % 60, "s"),
            (self.0 % 1_000, "ms"),
        ];
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (count, unit) in parts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{count}{unit}")?;
        }
        Ok(())
    }
}

impl FromStr for Span {
    type Err = TimeError;

    /// Reads `30s`, `5m`, `1h30m`, `250ms`, `7d`: whole or decimal numbers with their units.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let error = || {
            TimeError(format!("not a duration: {text:?}; expected text such as 30s, 5m or 1h30m"))
        };
        let (days, rest) = match text.split_once('d') {
            Some((days, rest)) => (days.trim().parse::<u64>().map_err(|_| error())?, rest.trim()),
            None => (0, text.trim()),
        };
        let millis = match rest {
            "" if days > 0 => 0,
            "" => return Err(error()),
            rest => {
                let duration: SignedDuration = rest.parse().map_err(|_| error())?;
                u64::try_from(duration.as_millis()).map_err(|_| error())?
            }
        };
        let whole = days.checked_mul(86_400_000).and_then(|d| d.checked_add(millis));
        whole.map(Self).ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            "2026-01-02T05:04:05.5+02:00".parse::<Timestamp>().unwrap().to_string(),
            "2026-01-02T03:04:05.500Z"
        );
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00.999Z");
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text, millis) in [
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("250ms", 250),
            ("7d", 604_800_000),
            ("1d12h", 129_600_000),
        ] {
            assert_eq!(text.parse(), Ok(Span::from_millis(millis)), "{text}");
            assert_eq!(Span::from_millis(millis).to_string(), text);
        }
        assert_eq!("1.5s".parse(), Ok(Span::from_millis(1_500)));
        assert_eq!(Span::ZERO.to_string(), "0s");
    }

    #[test]
    fn other_text_is_no_duration() {
        for text in ["", "30", "abc", "-5s", "d", "99999999999999999d", "5 parsecs"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_time_and_duration_reads_back(millis in 0..=LAST_MILLIS) {
            let at = Timestamp::from_millis(millis);
            prop_assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
            let span = Span::from_millis(millis.unsigned_abs());
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }
}
