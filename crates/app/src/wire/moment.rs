//! An instant as RFC 3339 in UTC, and the beginning of one as a filter.

use jobmill_model::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// An instant: RFC 3339 in UTC with milliseconds.
#[derive(ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-21T09:30:00.250Z")]
pub(crate) struct Moment(#[schema(inline)] pub(crate) Timestamp);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// How many characters a time has up to its seconds: `2023-09-01T12:00:00`.
const TO_SECONDS: usize = 19;

/// A time, or the beginning of one, as a filter of instants.
///
/// A full time means its second: a fraction and a `Z` are passed over, and another offset is
/// turned into UTC. Anything shorter means every instant that is written with that beginning.
pub(crate) struct Beginning(String);

impl Beginning {
    /// Reads the filter; text that is no time at all matches nothing.
    pub(crate) fn new(text: &str) -> Self {
        let mut text = text.trim().to_owned();
        if let Ok(at) = text.parse::<Timestamp>() {
            text = at.to_string();
        }
        if text.as_bytes().get(10) == Some(&b' ') {
            text.replace_range(10..11, "T");
        }
        let rest = text.get(TO_SECONDS..).unwrap_or_default().trim_end_matches('Z');
        if rest.strip_prefix('.').unwrap_or(rest).bytes().all(|byte| byte.is_ascii_digit()) {
            text.truncate(text.floor_char_boundary(TO_SECONDS));
        }
        Self(text)
    }

    /// Whether an instant is written with this beginning.
    pub(crate) fn matches(&self, at: Timestamp) -> bool {
        at.to_string().starts_with(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(filter: &str) -> bool {
        Beginning::new(filter).matches("2023-09-01T12:00:00.678Z".parse().unwrap())
    }

    #[test]
    fn a_full_time_matches_its_second_however_it_is_written() {
        for filter in [
            "2023-09-01T12:00:00",
            "2023-09-01T12:00:00Z",
            "2023-09-01T12:00:00.1",
            "2023-09-01T12:00:00.999Z",
            "2023-09-01 12:00:00",
            "2023-09-01T14:00:00+02:00",
        ] {
            assert!(matches(filter), "{filter}");
        }
        assert!(!matches("2023-09-01T12:00:01"));
    }

    #[test]
    fn the_beginning_of_a_time_matches_all_that_begin_so() {
        for filter in ["2023", "2023-0", "2023-09", "2023-09-01", "2023-09-01T12:0"] {
            assert!(matches(filter), "{filter}");
        }
        assert!(!matches("2023-09-02"));
    }

    #[test]
    fn what_is_no_time_matches_nothing() {
        for filter in ["yesterday", "2023-09-01T12:00:00x", "é", "2023-09-01T12:00:00.0é"] {
            assert!(!matches(filter), "{filter}");
        }
    }
}
