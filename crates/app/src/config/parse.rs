//! From the text of a setting to its value. An error says what is expected.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use jobmill_model::Span;
use jobmill_model::retention::Keep;

type Parsed<T> = Result<T, String>;

pub(super) fn address(text: &str) -> Parsed<SocketAddr> {
    let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    match local {
        Some(port) => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        None => text.parse().map_err(|_| {
            "an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned()
        }),
    }
}

pub(super) fn path(text: &str) -> Parsed<PathBuf> {
    match text.is_empty() {
        true => Err("a path".to_owned()),
        false => Ok(PathBuf::from(text)),
    }
}

/// A word of letters, digits and a few signs, such as the id of a project.
pub(super) fn word(text: &str, most: usize) -> Parsed<String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    match !text.is_empty() && text.len() <= most && text.chars().all(is_word) {
        true => Ok(text.to_owned()),
        false => Err(format!("1 to {most} letters, digits, `-`, `_`, `.` and `:`")),
    }
}

pub(super) fn count<T>(text: &str, range: RangeInclusive<T>) -> Parsed<T>
where
    T: FromStr + PartialOrd + Display,
{
    let number = text.replace('_', "").parse().ok();
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
}

pub(super) fn duration(text: &str, range: RangeInclusive<Span>) -> Parsed<Span> {
    text.parse().ok().filter(|span| range.contains(span)).ok_or_else(|| {
        format!("a duration such as 30s, 5m or 1h30m, from {} to {}", range.start(), range.end())
    })
}

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

pub(super) fn size(text: &str) -> Parsed<u64> {
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (digits, factor) = match unit {
        Some((unit, factor)) => (&text[..text.len() - unit.len()], *factor),
        None => (text, 1),
    };
    let number: Option<u64> = digits.trim().replace('_', "").parse().ok();
    number
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "a size such as 16MiB, 500kB or 2GiB".to_owned())
}

/// How long jobs that have ended are kept.
/// The address of an emulator, as Google's clients take it: a host and a port, or a URL.
pub(super) fn emulator(text: &str) -> Parsed<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:[]/".contains(c);
    let rest = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    match !rest.is_empty() && !rest.contains('/') && rest.chars().all(is_plain) {
        true => Ok(format!("http://{rest}")),
        false => Err("a host and a port, such as 127.0.0.1:8200".to_owned()),
    }
}

pub(super) fn keep(text: &str) -> Parsed<Keep> {
    text.parse().map_err(str::to_owned)
}

pub(super) fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Parsed<T> {
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("one of: {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        let table = [("1", 1), ("2B", 2), ("16MiB", 16 << 20), ("3 kB", 3_000), ("1_0KiB", 10_240)];
        for (text, bytes) in table {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "0", "MiB", "1.5MiB", "-1", "99999999999TiB", "5 parsecs"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn localhost_is_an_address() {
        assert_eq!(address("localhost:80"), address("127.0.0.1:80"));
        assert!(address("localhost").is_err());
        assert!(address("8080").is_err());
    }

    #[test]
    fn numbers_outside_their_range_are_refused() {
        assert_eq!(count("1_000", 1..=1_024), Ok(1_000));
        assert_eq!(count("0", 1..=9).unwrap_err(), "a whole number from 1 to 9");
        let hour = Span::ZERO..=Span::from_secs(3_600);
        assert!(duration("59m", hour.clone()).is_ok());
        assert!(duration("61m", hour).unwrap_err().ends_with("from 0s to 1h"));
    }
}
