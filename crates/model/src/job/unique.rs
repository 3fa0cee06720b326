//! Uniqueness: the same idempotency key gives the same job, and a job may ask to be the only
//! one of its kind.

use std::fmt;

use crate::limits::{IDEMPOTENCY_KEY_BYTES, IDEMPOTENCY_MILLIS};
use crate::queue::Name;
use crate::time::{Span, Timestamp};
use crate::value::Json;

/// A hash of a request body, to tell a repeated request from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The BLAKE3 hash of these bytes.
    ///
    /// The order of an object's keys has a meaning here, so it is part of the text.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// A sender's name for a request, so that sending it twice does it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// Who asks for what: the API key's name and the route.
    pub scope: String,
    /// The sender's key.
    pub key: String,
    /// What was asked.
    pub body: Fingerprint,
    /// Until when the key is kept at least; a job's own life may keep it longer.
    pub keep_until: Timestamp,
}

/// The text cannot be an idempotency key; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyError(&'static str);

impl fmt::Display for IdempotencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for IdempotencyError {}

impl Idempotency {
    /// A key as it came with a request at `now`.
    ///
    /// # Errors
    /// Empty, longer than 255 bytes, or with characters outside printable ASCII.
    pub fn new(
        scope: impl Into<String>,
        key: &str,
        body: Fingerprint,
        now: Timestamp,
    ) -> Result<Self, IdempotencyError> {
        if key.is_empty() || key.len() > IDEMPOTENCY_KEY_BYTES {
            return Err(IdempotencyError("an idempotency key has 1 to 255 bytes"));
        }
        if !key.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(IdempotencyError("an idempotency key is printable ASCII"));
        }
        let keep_until = now.after(Span::from_millis(IDEMPOTENCY_MILLIS));
        Ok(Self { scope: scope.into(), key: key.to_owned(), body, keep_until })
    }
}

/// What makes a job the same as another of its flow, so that one of them is enough.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unique {
    /// The sender's word for what it does; without one, its input and params say it.
    pub key: Option<Name>,
    /// How long after its submission a job is in the way of another although it has ended.
    pub span: Option<Span>,
}

impl Unique {
    /// What the jobs have in common of which one is enough.
    #[must_use]
    pub fn mark(&self, flow: &Name, input: &Json, params: &Json) -> Fingerprint {
        let (kind, parts) = match &self.key {
            Some(key) => ("key", [key.as_str(), ""]),
            None => ("input", [input.as_str(), params.as_str()]),
        };
        let mut hasher = blake3::Hasher::new();
        for part in [flow.as_str(), kind, parts[0], parts[1]] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Fingerprint(*hasher.finalize().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_printable() {
        let new = |key: &str| Idempotency::new("s", key, Fingerprint::of(b""), Timestamp::EPOCH);
        assert!(new("order-42").is_ok());
        for bad in ["", "a\tb", "é", &"x".repeat(256)] {
            assert!(new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn jobs_are_the_same_by_their_flow_and_their_key_or_their_input() {
        let mark = |flow: &str, key: Option<&str>, input: &str| {
            let unique = Unique { key: key.map(Name::trusted), span: None };
            unique.mark(&Name::trusted(flow), &Json::trusted(input), &Json::trusted("{}"))
        };
        assert_eq!(mark("f", Some("a"), "1"), mark("f", Some("a"), "2"));
        assert_eq!(mark("f", None, "1"), mark("f", None, "1"));
        let all = [
            mark("f", Some("a"), "1"),
            mark("f", Some("b"), "1"),
            mark("g", Some("a"), "1"),
            mark("f", None, "1"),
            mark("f", None, "2"),
            mark("f1", None, ""),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(!all[..place].contains(one), "{place}");
        }
    }

    #[test]
    fn the_order_of_keys_makes_another_body() {
        assert_ne!(Fingerprint::of(b"{\"a\":1,\"b\":2}"), Fingerprint::of(b"{\"b\":2,\"a\":1}"));
    }
}
