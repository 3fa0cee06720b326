//! A time zone by its name in the IANA database, which this program carries with it.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::fault::cut;
use crate::suggest;

/// The zones are those of this program, not of the machine: the same expression gives the same
/// ticks everywhere.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone, such as `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// The text is not the name of a time zone; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneError(String);

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ZoneError {}

impl Zone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub(super) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    /// Reads a name, in upper or lower case.
    fn from_str(text: &str) -> Result<Self, ZoneError> {
        if text.eq_ignore_ascii_case("UTC") {
            return Ok(Self::utc());
        }
        ZONES.get(text).map(Self).map_err(|_| {
            let text = cut(text, 64);
            let known: Vec<String> = ZONES.available().map(|name| name.to_string()).collect();
            let hint = suggest::hint(text, known.iter().map(String::as_str));
            ZoneError(format!(
                "unknown time zone {text:?}; expected a name such as UTC or Europe/Berlin{hint}"
            ))
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_by_their_names() {
        for name in ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] {
            assert_eq!(name.parse::<Zone>().unwrap().name(), name);
        }
        assert_eq!("europe/berlin".parse::<Zone>().unwrap().name(), "Europe/Berlin");
        assert_eq!("utc".parse::<Zone>().unwrap(), Zone::utc());
        let error = "Europe/Berlim".parse::<Zone>().unwrap_err().to_string();
        assert!(error.contains("did you mean \"Europe/Berlin\"?"), "{error}");
        assert!("+02:00".parse::<Zone>().is_err());
    }
}
