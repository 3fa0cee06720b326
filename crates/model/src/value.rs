//! An ordered JSON value, cheap to clone, and its compact text.
//!
//! Whole numbers within 64 bits and doubles are told apart; a whole number beyond 64 bits is
//! read as a double. Objects keep the order of their keys; a key that appears twice keeps its
//! first place and its later value.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A JSON value. Clones share their content.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number of at most 64 bits.
    Int(i64),
    /// Any other number.
    Double(f64),
    /// Text.
    String(Arc<str>),
    /// An array.
    List(Arc<Vec<Value>>),
    /// An object, in the order of its keys.
    Map(Arc<Map>),
}

/// An ordered dictionary of text keys.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(IndexMap<Arc<str>, Value>);

/// Text that is known to be one valid, compact JSON value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Json(Arc<str>);

/// The text is not JSON: what is wrong, and where (both from 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {} column {}", self.message, self.line, self.column)
    }
}

impl std::error::Error for JsonError {}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self { message, line: error.line(), column: error.column().max(1) }
    }
}

impl Value {
    /// Reads one JSON value; nothing but white space may follow it.
    ///
    /// # Errors
    /// Malformed text, or a nest deeper than 127 levels, with its line and column.
    pub fn from_json(text: &[u8]) -> Result<Self, JsonError> {
        serde_json::from_slice(text).map_err(JsonError::from)
    }

    /// The compact JSON text of this value. Doubles that JSON cannot write become `null`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json(self.to_string().into())
    }

    /// An object from its entries, in order.
    pub fn map<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(Arc::new(entries.into_iter().map(|(k, v)| (k.into(), v)).collect()))
    }

    /// An array from its items.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The whole number, if this is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The object, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The array, if this is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// What JSON calls this kind of value, with its article, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "a whole number",
            Self::Double(_) => "a decimal number",
            Self::String(_) => "a string",
            Self::List(_) => "an array",
            Self::Map(_) => "an object",
        }
    }

    /// About how many bytes this value takes as text.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 4,
            Self::Int(_) | Self::Double(_) => 8,
            Self::String(text) => text.len() + 2,
            Self::List(items) => 2 + items.iter().map(|item| item.size_bytes() + 1).sum::<usize>(),
            Self::Map(map) => {
                2 + map.iter().map(|(k, v)| k.len() + v.size_bytes() + 4).sum::<usize>()
            }
        }
    }
}

impl fmt::Display for Value {
    /// Writes compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

macro_rules! value_from {
    ($($from:ty => |$name:ident| $make:expr),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from($name: $from) -> Self {
                $make
            }
        }
    )*};
}

value_from! {
    bool => |value| Self::Bool(value),
    i64 => |value| Self::Int(value),
    i32 => |value| Self::Int(value.into()),
    u32 => |value| Self::Int(value.into()),
    u64 => |value| i64::try_from(value).map_or(Self::Double(value as f64), Self::Int),
    usize => |value| Self::from(value as u64),
    f64 => |value| Self::Double(value),
    &str => |value| Self::String(value.into()),
    String => |value| Self::String(value.into()),
    Arc<str> => |value| Self::String(value),
    Map => |value| Self::Map(Arc::new(value)),
    Vec<Value> => |value| Self::List(Arc::new(value)),
}

impl Map {
    /// An empty dictionary.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The entry at a place, from 0.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<(&Arc<str>, &Value)> {
        self.0.get_index(index)
    }

    /// The place of a key, from 0.
    #[must_use]
    pub fn index_of(&self, key: &str) -> Option<usize> {
        self.0.get_index_of(key)
    }

    /// Whether the key is there.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Sets a key; a new key goes last, a known key keeps its place. Returns the old value.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Value) -> Option<Value> {
        self.0.insert(key.into(), value)
    }

    /// Takes a key out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> + DoubleEndedIterator {
        self.0.iter()
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> + DoubleEndedIterator {
        self.0.keys()
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(k, v)| (k.into(), v)).collect())
    }
}

impl IntoIterator for Map {
    type Item = (Arc<str>, Value);
    type IntoIter = indexmap::map::IntoIter<Arc<str>, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Json {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes text that is already known to be JSON, such as what a store gives back.
    #[must_use]
    pub fn trusted(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// Reads the value.
    ///
    /// # Errors
    /// Text that was trusted wrongly.
    pub fn to_value(&self) -> Result<Value, JsonError> {
        Value::from_json(self.0.as_bytes())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Double(value) => serializer.serialize_f64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            Self::Map(map) => map.serialize(serializer),
        }
    }
}

impl Serialize for Map {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        self.iter().try_for_each(|(key, value)| map.serialize_entry(&**key, value))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Double(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::from(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            map.insert(key, value);
        }
        Ok(Value::from(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Value {
        Value::from_json(text.as_bytes()).unwrap()
    }

    #[test]
    fn objects_keep_the_order_of_their_keys_and_the_later_value() {
        assert_eq!(read(r#"{"b":1,"a":2,"b":3}"#).to_string(), r#"{"b":3,"a":2}"#);
    }

    #[test]
    fn whole_numbers_and_doubles_are_told_apart() {
        assert_eq!(
            read("[1,1.0,-9223372036854775808,9223372036854775808,1e2]").to_string(),
            "[1,1.0,-9223372036854775808,9.223372036854776e+18,100.0]"
        );
    }

    #[test]
    fn malformed_text_is_refused_with_its_place() {
        let error = Value::from_json(b"{\n  \"a\": x\n}").unwrap_err();
        assert_eq!((error.line, error.column), (2, 8), "{error}");
        assert!(Value::from_json(b"{} x").is_err());
        assert!(Value::from_json(&[b'"', 0xff, b'"']).is_err());
    }

    #[test]
    fn a_deep_nest_is_refused() {
        let deep = "[".repeat(100_000);
        assert!(Value::from_json(deep.as_bytes()).unwrap_err().message.contains("recursion"));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |d| d.is_finite()).prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..6).prop_map(Value::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_reads_back_from_its_text(value in any_value()) {
            prop_assert_eq!(value.to_json().to_value().unwrap(), value);
        }
    }
}
