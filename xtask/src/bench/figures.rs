//! What was measured, by name.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::failure::Failure;

/// Numbers by name, such as `rate` or `server.peak_mib`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures(pub(super) BTreeMap<String, f64>);

impl Figures {
    /// Reads the line that a program printed; objects in it become names with dots.
    pub(super) fn read(line: &str) -> Result<Self, Failure> {
        let value: Value = serde_json::from_str(line).map_err(Failure::of(line))?;
        let mut figures = Self::default();
        figures.take("", &value);
        Ok(figures)
    }

    fn take(&mut self, name: &str, value: &Value) {
        if let Some(number) = value.as_f64() {
            self.0.insert(name.to_owned(), number);
        }
        let dot = if name.is_empty() { "" } else { "." };
        for (key, value) in value.as_object().into_iter().flatten() {
            self.take(&format!("{name}{dot}{key}"), value);
        }
    }

    pub(super) fn put(&mut self, name: &str, number: f64) {
        self.0.insert(name.to_owned(), number);
    }

    /// The number; not a number where there is none, which no target accepts.
    pub(super) fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(f64::NAN)
    }

    /// Adds all of another, their names after this word and a dot.
    pub(super) fn put_all(&mut self, word: &str, other: &Self) {
        for (name, number) in &other.0 {
            self.put(&format!("{word}.{name}"), *number);
        }
    }

    /// The middle between two measurements of the same.
    pub(super) fn between(&self, other: &Self) -> Self {
        let shared = self.0.iter().filter_map(|(name, number)| {
            other.0.get(name).map(|other| (name.clone(), f64::midpoint(*number, *other)))
        });
        Self(shared.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_become_names_with_dots() {
        let figures = Figures::read(r#"{"rate":2,"append":{"p50_us":3.5}}"#).unwrap();
        assert_eq!((figures.get("rate"), figures.get("append.p50_us")), (2.0, 3.5));
        assert!(figures.get("other").is_nan());
    }

    #[test]
    fn between_two_is_the_middle() {
        let of = |line| Figures::read(line).unwrap();
        assert_eq!(of(r#"{"a":1}"#).between(&of(r#"{"a":3,"b":1}"#)), of(r#"{"a":2}"#));
    }
}
