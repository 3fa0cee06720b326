//! Reads the fields of a request as Google's servers do: in camel or snake case, enums as words
//! or numbers, `null` for nothing; what is not known is passed over.

use jobmill_model::definition::Texts;
use jobmill_model::{Map, Value};

use super::Error;
use super::field::snake;

/// The fields of one object.
#[derive(Debug, Clone, Copy)]
pub struct Body<'v>(Option<&'v Map>);

impl<'v> Body<'v> {
    /// Reads an object; `null` is an empty one.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: anything else.
    pub fn read(value: &'v Value) -> Result<Self, Error> {
        match value {
            Value::Null => Ok(Self(None)),
            Value::Map(map) => Ok(Self(Some(map))),
            other => Err(Error::invalid(format!(
                "invalid JSON payload: expected an object, got {}",
                other.kind()
            ))),
        }
    }

    /// The value of a field, named in camel case.
    #[must_use]
    pub fn value(self, name: &str) -> Option<&'v Value> {
        let map = self.0?;
        let value = map.get(name).or_else(|| map.get(&snake(name)))?;
        Some(value).filter(|value| **value != Value::Null)
    }

    /// Text.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: something else.
    pub fn text(self, name: &str) -> Result<Option<&'v str>, Error> {
        let Some(value) = self.value(name) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| wrong(name, "a string", value))
    }

    /// True or false.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: something else.
    pub fn flag(self, name: &str) -> Result<Option<bool>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong(name, "true or false", other)),
        }
    }

    /// One of some words, given as itself or as its place among them.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: something else.
    pub fn word<T: Copy>(
        self,
        name: &str,
        all: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let found = match value {
            Value::String(text) => all.iter().find(|it| word(**it) == &**text),
            Value::Int(number) => usize::try_from(*number).ok().and_then(|at| all.get(at)),
            _ => None,
        };
        let words = || all.iter().map(|it| word(*it)).collect::<Vec<_>>().join(", ");
        found.copied().map(Some).ok_or_else(|| {
            Error::invalid(format!("invalid value at '{name}': {value}; known are {}", words()))
        })
    }

    /// Text by text.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: something else.
    pub fn texts(self, name: &str) -> Result<Option<Texts>, Error> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let map = value.as_map().ok_or_else(|| wrong(name, "an object of strings", value))?;
        let entry = |(key, value): (&std::sync::Arc<str>, &Value)| match value.as_str() {
            Some(text) => Ok((key.to_string(), text.to_owned())),
            None => Err(wrong(&format!("{name}.{key}"), "a string", value)),
        };
        map.iter().map(entry).collect::<Result<_, _>>().map(Some)
    }

    /// The object in a field.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: something else.
    pub fn body(self, name: &str) -> Result<Option<Body<'v>>, Error> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Map(map)) => Ok(Some(Self(Some(map)))),
            Some(other) => Err(wrong(name, "an object", other)),
        }
    }
}

fn wrong(name: &str, expected: &str, value: &Value) -> Error {
    Error::invalid(format!("invalid value at '{name}': expected {expected}, got {}", value.kind()))
}

/// Text by text, as a value.
#[must_use]
pub fn texts(texts: &Texts) -> Value {
    Value::map(texts.iter().map(|(key, value)| (key.as_str(), Value::from(value.as_str()))))
}

#[cfg(test)]
mod tests {
    use jobmill_model::definition::CallLogLevel;

    use super::*;

    #[test]
    fn fields_are_read_in_both_spellings_and_enums_as_words_or_numbers() {
        let text = br#"{"call_log_level":2,"other":1,"labels":{},"sourceContents":null,"n":7}"#;
        let value = Value::from_json(text).unwrap();
        let body = Body::read(&value).unwrap();
        let level = |name: &str| body.word(name, &CallLogLevel::ALL, CallLogLevel::as_str);
        assert_eq!(level("callLogLevel").unwrap(), Some(CallLogLevel::ErrorsOnly));
        assert_eq!(
            level("n").unwrap_err().message.split(';').next(),
            Some("invalid value at 'n': 7")
        );
        assert_eq!(body.texts("labels").unwrap(), Some(Texts::new()));
        assert_eq!(body.text("sourceContents").unwrap(), None);
        assert!(body.text("n").is_err() && body.texts("n").is_err() && body.flag("n").is_err());
        assert!(Body::read(&Value::from("x")).is_err());
    }
}
