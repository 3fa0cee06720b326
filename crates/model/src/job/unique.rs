//! Uniqueness: the same idempotency key gives the same job.

use std::fmt;

use crate::limits::{IDEMPOTENCY_KEY_BYTES, IDEMPOTENCY_MILLIS};
use crate::time::{Span, Timestamp};

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
    fn the_order_of_keys_makes_another_body() {
        assert_ne!(Fingerprint::of(b"{\"a\":1,\"b\":2}"), Fingerprint::of(b"{\"b\":2,\"a\":1}"));
    }
}
