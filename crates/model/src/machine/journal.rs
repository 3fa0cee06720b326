//! The journal: the committed outcomes of a run, and the text in which they are stored.

use std::fmt;

use super::effect::{EffectNumber, Outcome};
use crate::time::Timestamp;
use crate::value::{Json, Map, Value};

/// One committed outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the journal, from 0, without gaps.
    pub seq: u64,
    /// The effect that it is the outcome of.
    pub number: EffectNumber,
    /// The fingerprint of that effect's request.
    pub fingerprint: u64,
    /// What came back.
    pub outcome: Outcome,
    /// When it came back.
    pub at: Timestamp,
}

/// A stored outcome cannot be read; says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalError(String);

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a journal entry cannot be read: {}", self.0)
    }
}

impl std::error::Error for JournalError {}

impl Outcome {
    /// The stored form: an object with one key that names the kind.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let (kind, content) = match self {
            Self::Done(value) => ("done", value.clone()),
            Self::Failed { code, message } => (
                "failed",
                Value::map([("code", code.as_str().into()), ("message", message.as_str().into())]),
            ),
            Self::Clock(at) => ("clock", at.as_millis().into()),
            Self::Woken => ("woken", Value::Null),
            Self::Signal(value) => ("signal", value.clone()),
        };
        Value::map([(kind, content)]).to_json()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// Text that [`to_json`](Self::to_json) does not write.
    pub fn from_json(text: &Json) -> Result<Self, JournalError> {
        let unreadable = || JournalError(text.as_str().chars().take(200).collect());
        let value = text.to_value().map_err(|_| unreadable())?;
        let map = value.as_map().filter(|map| map.len() == 1).ok_or_else(unreadable)?;
        let (kind, content) = map.at(0).ok_or_else(unreadable)?;
        let word = |map: &Map, key| map.get(key).and_then(Value::as_str).map(str::to_owned);
        let read = match &**kind {
            "done" => Some(Self::Done(content.clone())),
            "failed" => content.as_map().and_then(|map| {
                Some(Self::Failed { code: word(map, "code")?, message: word(map, "message")? })
            }),
            "clock" => content.as_int().map(|at| Self::Clock(Timestamp::from_millis(at))),
            "woken" => Some(Self::Woken),
            "signal" => Some(Self::Signal(content.clone())),
            _ => None,
        };
        read.ok_or_else(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stored text of every kind of outcome; a change here breaks existing data.
    #[test]
    fn outcomes_are_stored_as_these_texts() {
        let stored = [
            (Outcome::Done(Value::from(1)), r#"{"done":1}"#),
            (
                Outcome::Failed { code: "E".into(), message: "m".into() },
                r#"{"failed":{"code":"E","message":"m"}}"#,
            ),
            (Outcome::Clock(Timestamp::from_millis(5)), r#"{"clock":5}"#),
            (Outcome::Woken, r#"{"woken":null}"#),
            (Outcome::Signal(Value::Null), r#"{"signal":null}"#),
        ];
        for (outcome, text) in stored {
            assert_eq!(outcome.to_json().as_str(), text);
            assert_eq!(Outcome::from_json(&Json::trusted(text)), Ok(outcome));
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "{}", r#"{"done":1,"x":2}"#, r#"{"clock":"x"}"#, r#"{"other":1}"#] {
            assert!(Outcome::from_json(&Json::trusted(text)).is_err(), "{text}");
        }
    }
}
