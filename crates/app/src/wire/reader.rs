//! Reads the fields of an object and collects everything that is wrong with them.
//!
//! A field that is absent or `null` is not given. Each reading answers the checked value or
//! nothing; what is wrong is kept with its JSON pointer, so that a sender hears all of it at
//! once.

use std::ops::RangeInclusive;
use std::str::FromStr;

use jobmill_model::fault::pointer_below;
use jobmill_model::queue::Name;
use jobmill_model::{Map, Problem, Span, Value};

use super::near;

/// More problems than this are not looked for: nobody reads on, and looking has a cost.
pub(crate) const MOST_PROBLEMS: usize = 100;

/// The fields of one object.
pub(crate) struct Reader<'v, 'p> {
    map: &'v Map,
    pointer: &'p str,
    problems: &'p mut Vec<Problem>,
}

impl<'v, 'p> Reader<'v, 'p> {
    /// Reads the object at `pointer`; anything else is a problem.
    pub(crate) fn object(
        value: &'v Value,
        pointer: &'p str,
        problems: &'p mut Vec<Problem>,
    ) -> Option<Self> {
        match value {
            Value::Map(map) => Some(Self { map, pointer, problems }),
            other => {
                problems.push(Problem::new(pointer, expected("an object", other)));
                None
            }
        }
    }

    /// Refuses every field that is not known.
    pub(crate) fn only(&mut self, known: &[&str]) -> &mut Self {
        let room = MOST_PROBLEMS.saturating_sub(self.problems.len());
        for key in self.map.keys().filter(|key| !known.contains(&&***key)).take(room) {
            let pointer = pointer_below(self.pointer, key);
            self.problems.push(Problem::new(pointer, near::unknown("field", key, known)));
        }
        self
    }

    /// Notes a problem with a field.
    pub(crate) fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(pointer_below(self.pointer, field), message));
    }

    /// Notes a problem with a place below the object, given as the rest of its pointer.
    pub(crate) fn refuse_at(&mut self, place: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(format!("{}/{place}", self.pointer), message));
    }

    /// Notes a problem with the object as a whole.
    pub(crate) fn refuse_whole(&mut self, message: impl Into<String>) {
        self.problems.push(Problem::new(self.pointer, message));
    }

    /// Reads the object in a field, whose value the caller has seen to be one.
    pub(crate) fn below<T: Default>(
        &mut self,
        field: &str,
        value: &Value,
        read: impl FnOnce(&mut Reader<'_, '_>) -> T,
    ) -> T {
        let pointer = pointer_below(self.pointer, field);
        let reader = Reader::object(value, &pointer, self.problems);
        reader.map(|mut reader| read(&mut reader)).unwrap_or_default()
    }

    /// The value of a field, whatever it is.
    pub(crate) fn value(&self, field: &str) -> Option<&'v Value> {
        self.map.get(field).filter(|value| **value != Value::Null)
    }

    /// The text of a field.
    pub(crate) fn text(&mut self, field: &str) -> Option<&'v str> {
        let value = self.value(field)?;
        let text = value.as_str();
        if text.is_none() {
            self.refuse(field, expected("a string", value));
        }
        text
    }

    /// Text of a field that is read as something more.
    pub(crate) fn parsed<T: FromStr<Err: ToString>>(&mut self, field: &str) -> Option<T> {
        let text = self.text(field)?;
        let parsed = text.parse().map_err(|error: T::Err| error.to_string());
        parsed.map_err(|message| self.refuse(field, message)).ok()
    }

    /// A name.
    pub(crate) fn name(&mut self, field: &str) -> Option<Name> {
        let text = self.text(field)?;
        Name::new(text).map_err(|error| self.refuse(field, error.to_string())).ok()
    }

    /// A whole number within a range.
    pub(crate) fn whole(&mut self, field: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(field)?;
        let bounds = format_args!("a whole number from {} to {}", range.start(), range.end());
        match value {
            Value::Int(number) if range.contains(number) => return Some(*number),
            Value::Int(number) => self.refuse(field, format!("expected {bounds}, got {number}")),
            other => self.refuse(field, expected(&bounds.to_string(), other)),
        }
        None
    }

    /// A number, whole or decimal.
    pub(crate) fn number(&mut self, field: &str) -> Option<f64> {
        match self.value(field)? {
            Value::Int(number) => Some(*number as f64),
            Value::Double(number) => Some(*number),
            other => {
                self.refuse(field, expected("a number", other));
                None
            }
        }
    }

    /// A duration of at most `most_millis`.
    pub(crate) fn span(&mut self, field: &str, most_millis: u64) -> Option<Span> {
        let span: Span = self.parsed(field)?;
        if span.as_millis() > most_millis {
            self.refuse(field, format!("at most {}, got {span}", Span::from_millis(most_millis)));
            return None;
        }
        Some(span)
    }

    /// A list of names, each once.
    pub(crate) fn names(&mut self, field: &str, most: usize) -> Vec<Name> {
        let mut names = Vec::new();
        let Some(value) = self.value(field) else { return names };
        let Some(items) = value.as_list() else {
            self.refuse(field, expected("a list of strings", value));
            return names;
        };
        if items.len() > most {
            self.refuse(field, format!("at most {most} items, got {}", items.len()));
            return names;
        }
        let pointer = pointer_below(self.pointer, field);
        for (index, item) in items.iter().enumerate() {
            let name = match item.as_str() {
                Some(text) => Name::new(text).map_err(|error| error.to_string()),
                None => Err(expected("a string", item)),
            };
            match name {
                Ok(name) if names.contains(&name) => {}
                Ok(name) => names.push(name),
                Err(message) => {
                    self.problems.push(Problem::new(pointer_below(&pointer, index), message));
                }
            }
        }
        names
    }
}

/// What to say of a value of the wrong kind.
pub(crate) fn expected(what: &str, value: &Value) -> String {
    format!("expected {what}, got {}", value.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let value = Value::from_json(
            br#"{"a":"x","b":7,"c":[1,"ok",""],"d":"5 parsecs","e/f":0,"g":null}"#,
        );
        let value = value.unwrap();
        let mut problems = Vec::new();
        let mut reader = Reader::object(&value, "/0", &mut problems).unwrap();
        reader.only(&["a", "b", "c", "d", "g"]);
        assert_eq!(reader.whole("a", 1..=5), None);
        assert_eq!(reader.whole("b", 1..=5), None);
        assert_eq!(reader.names("c", 3).len(), 1);
        assert_eq!(reader.span("d", 5), None);
        assert_eq!(reader.text("g"), None);
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "/0/e~1f: unknown field \"e/f\"; known are a, b, c, d, g",
                "/0/a: expected a whole number from 1 to 5, got a string",
                "/0/b: expected a whole number from 1 to 5, got 7",
                "/0/c/0: expected a string, got a whole number",
                "/0/c/2: a name may not be empty",
                "/0/d: not a duration: \"5 parsecs\"; expected text such as 30s, 5m or 1h30m",
            ]
        );
    }
}
