//! The fields of a resource that filters and orders may name, and their values.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use jobmill_model::{Span, Timestamp};

/// A field by its name on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name, in camel case.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An instant.
    Time,
    /// A duration.
    Duration,
    /// A whole number.
    Number,
    /// True or false.
    Flag,
    /// Text by text.
    Texts,
}

/// The value of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum<'a> {
    /// It has none.
    Absent,
    /// Text, or a word.
    Text(Cow<'a, str>),
    /// An instant.
    Time(Timestamp),
    /// A duration.
    Duration(Span),
    /// A whole number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// Text by text.
    Texts(&'a BTreeMap<String, String>),
}

/// Something whose fields can be read by name.
pub trait Record {
    /// The value of a field of its schema.
    fn datum(&self, field: &str) -> Datum<'_>;
}

/// The field of a name: in camel case, or as protocol buffers write it.
#[must_use]
pub fn find(schema: &'static [Field], name: &str) -> Option<&'static Field> {
    schema.iter().find(|field| field.name == name || snake(field.name) == name)
}

/// The names of a schema's fields, for messages.
#[must_use]
pub fn names(schema: &[Field]) -> String {
    schema.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

/// A name in camel case as protocol buffers write it.
#[must_use]
pub fn snake(camel: &str) -> String {
    let mut text = String::with_capacity(camel.len() + 4);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

impl<'a, T: Into<Datum<'a>>> From<Option<T>> for Datum<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Into::into)
    }
}

impl<'a> From<&'a str> for Datum<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Datum<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Timestamp> for Datum<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Time(at)
    }
}

impl From<Span> for Datum<'_> {
    fn from(span: Span) -> Self {
        Self::Duration(span)
    }
}

impl Datum<'_> {
    /// How two values of one field compare; nothing comes before something.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Time(one), Self::Time(two)) => one.cmp(two),
            (Self::Duration(one), Self::Duration(two)) => one.cmp(two),
            (Self::Number(one), Self::Number(two)) => one.cmp(two),
            (Self::Flag(one), Self::Flag(two)) => one.cmp(two),
            (one, two) => (*one != Self::Absent).cmp(&(*two != Self::Absent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_in_both_spellings() {
        const SCHEMA: &[Field] = &[Field { name: "createTime", kind: Kind::Time }];
        assert!(find(SCHEMA, "createTime").is_some() && find(SCHEMA, "create_time").is_some());
        assert!(find(SCHEMA, "createtime").is_none());
    }
}
