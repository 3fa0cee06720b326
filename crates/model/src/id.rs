//! Typed ids: a job, a server instance, a fencing token.
//!
//! Ids are UUIDs of version 7 (RFC 9562), so that they sort by the time of their making.
//! Making one needs the time and ten random bytes, which the caller brings.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::time::Timestamp;

/// Names one job for ever.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(Uuid);

/// Names one life of one server or worker process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(Uuid);

/// The text is not an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdError;

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not an id: expected 36 characters such as 0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
        )
    }
}

impl std::error::Error for IdError {}

macro_rules! uuid_id {
    ($name:ident) => {
        impl $name {
            /// Builds a version 7 id from the time (milliseconds since 1970) and random bytes.
            #[must_use]
            pub fn from_parts(at: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(at.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The sixteen bytes of the id, in the order in which ids sort.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id with these sixteen bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Writes the 36 characters of the id into `buffer` and returns them as text.
            pub fn encode<'a>(&self, buffer: &'a mut [u8; 36]) -> &'a str {
                self.0.hyphenated().encode_lower(buffer)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            /// Reads the hyphenated form, 36 characters, upper or lower case.
            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() != 36 {
                    return Err(IdError);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| IdError)
            }
        }
    };
}

uuid_id!(JobId);
uuid_id!(InstanceId);

impl JobId {
    /// When the id was made: the moment of the job's submission.
    #[must_use]
    pub fn made_at(&self) -> Timestamp {
        let millis = u128::from_be_bytes(*self.0.as_bytes()) >> 80;
        Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// The earliest id that could have been made at `at`; bounds a listing by time.
    #[must_use]
    pub fn floor(at: Timestamp) -> Self {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        Self(Uuid::from_u128(u128::from(millis) << 80))
    }
}

/// The fencing token of a lease: grows by one with every claim of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Token(pub u64);

impl Token {
    /// The token of the next claim.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = JobId::from_parts(Timestamp::from_millis(1_700_000_000_000), [7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
    }

    #[test]
    fn ids_sort_by_time() {
        let early = JobId::from_parts(Timestamp::from_millis(1_000), [255; 10]);
        let late = JobId::from_parts(Timestamp::from_millis(1_001), [0; 10]);
        assert!(early < late);
        assert_eq!(late.made_at(), Timestamp::from_millis(1_001));
        assert!(early.to_string() < late.to_string());
        assert!(JobId::floor(Timestamp::from_millis(1_001)) <= late);
        assert!(JobId::floor(Timestamp::from_millis(1_001)) > early);
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "job1",
            "0190d5a47b3c7def8a112f6d1c0e9b42",
            "{0190d5a4-7b3c-7def-8a11-2f6d1c0e9b4}",
        ] {
            assert_eq!(text.parse::<JobId>(), Err(IdError), "{text}");
        }
    }
}
