//! The values of the language: clones share content, writes copy what is shared.
//!
//! Containers carry their logical size in bytes and their depth, so that an execution's memory
//! is known after each assignment without walking anything.

use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use jobmill_model::value as json;

/// One value. Assigning it anywhere is a copy, by sharing until somebody writes.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed integer of 64 bits.
    Int(i64),
    /// A double.
    Double(f64),
    /// Text.
    String(Arc<str>),
    /// Bytes; they have no JSON form.
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<List>),
    /// A map with text keys, in the order of insertion.
    Map(Arc<Map>),
}

/// The items of a list, with their accounted size and depth.
#[derive(Debug, Clone, Default)]
pub struct List {
    items: Vec<Value>,
    size: usize,
    depth: u32,
}

/// The entries of a map, with their accounted size and depth.
#[derive(Debug, Clone, Default)]
pub struct Map {
    entries: IndexMap<Arc<str>, Value>,
    size: usize,
    depth: u32,
}

impl Value {
    /// A list of these items.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(List::from(items)))
    }

    /// A map of these entries.
    pub fn map<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Map(Arc::new(entries.into_iter().map(|(k, v)| (k.into(), v)).collect()))
    }

    /// Bytes.
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// The map, if this is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(list) = self { Some(&list.items) } else { None }
    }

    /// The number as a double, if this is a number.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// The name that `get_type` answers.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
        }
    }

    /// The name that error messages use; they speak of dicts and arrays. \[R\]
    #[must_use]
    pub fn message_name(&self) -> &'static str {
        match self {
            Self::List(_) => "array",
            Self::Map(_) => "dict",
            other => other.type_name(),
        }
    }

    /// The accounted size in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) => 1,
            Self::Int(_) | Self::Double(_) => 8,
            Self::String(text) => text.len() + 2,
            Self::Bytes(bytes) => bytes.len(),
            Self::List(list) => list.size + 2,
            Self::Map(map) => map.size + 2,
        }
    }

    /// How deeply containers nest in it; 0 for a scalar.
    #[must_use]
    pub fn depth(&self) -> u32 {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// The text of a scalar as `+` and `string()` write it; `None` for what has none.
    #[must_use]
    pub fn scalar_text(&self) -> Option<Arc<str>> {
        match self {
            Self::Bool(value) => Some(if *value { "true" } else { "false" }.into()),
            Self::Int(value) => Some(value.to_string().into()),
            Self::Double(value) => Some(double_text(*value).into()),
            Self::String(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The JSON form with sorted keys, as results and payloads show it \[R\]; bytes have none.
    ///
    /// # Errors
    /// The value holds bytes, or a double that is not finite.
    pub fn to_json(&self) -> Result<json::Value, NotJson> {
        Ok(match self {
            Self::Null => json::Value::Null,
            Self::Bool(value) => json::Value::Bool(*value),
            Self::Int(value) => json::Value::Int(*value),
            Self::Double(value) if value.is_finite() => json::Value::Double(*value),
            Self::Double(_) => return Err(NotJson("a double that is not finite")),
            Self::String(text) => json::Value::String(text.clone()),
            Self::Bytes(_) => return Err(NotJson("bytes")),
            Self::List(list) => {
                let items: Result<Vec<_>, _> = list.items.iter().map(Self::to_json).collect();
                json::Value::from(items?)
            }
            Self::Map(map) => {
                let mut entries = json::Map::new();
                for (key, value) in map.sorted() {
                    entries.insert(key.clone(), value.to_json()?);
                }
                json::Value::from(entries)
            }
        })
    }
}

/// What kept a value from having a JSON form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson(pub &'static str);

/// The shortest text that reads back as this double; a whole double keeps its `.0`. [?]
#[must_use]
pub fn double_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else {
        format!("{value:?}")
    }
}

impl From<&json::Value> for Value {
    fn from(value: &json::Value) -> Self {
        match value {
            json::Value::Null => Self::Null,
            json::Value::Bool(value) => Self::Bool(*value),
            json::Value::Int(value) => Self::Int(*value),
            json::Value::Double(value) => Self::Double(*value),
            json::Value::String(text) => Self::String(text.clone()),
            json::Value::List(items) => Self::list(items.iter().map(Self::from).collect()),
            json::Value::Map(map) => Self::map(map.iter().map(|(k, v)| (k.clone(), v.into()))),
        }
    }
}

impl List {
    /// The items.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    /// Adds one item at the end.
    pub fn push(&mut self, value: Value) {
        self.account(&value);
        self.items.push(value);
    }

    /// Changes the item at a place through `change`, keeping size and depth right.
    pub fn update<R>(&mut self, at: usize, change: impl FnOnce(&mut Value) -> R) -> Option<R> {
        let item = self.items.get_mut(at)?;
        let before = item.size_bytes();
        let answer = change(item);
        self.size = self.size + item.size_bytes() - before;
        self.depth = self.depth.max(item.depth() + 1);
        Some(answer)
    }

    fn account(&mut self, value: &Value) {
        self.size += value.size_bytes() + 1;
        self.depth = self.depth.max(value.depth() + 1);
    }
}

impl From<Vec<Value>> for List {
    fn from(items: Vec<Value>) -> Self {
        let mut list = Self { items: Vec::new(), size: 0, depth: 1 };
        items.iter().for_each(|item| list.account(item));
        list.items = items;
        list
    }
}

impl Map {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.get(key)
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in the order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> {
        self.entries.iter()
    }

    /// The entries in the order of their keys.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&Arc<str>, &Value)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by(|a, b| a.0.cmp(b.0));
        entries
    }

    /// Sets a key; a new key goes last.
    pub fn insert(&mut self, key: Arc<str>, value: Value) {
        let key_size = key.len() + 4;
        self.size += value.size_bytes();
        self.depth = self.depth.max(value.depth() + 1);
        match self.entries.insert(key, value) {
            Some(old) => self.size -= old.size_bytes(),
            None => self.size += key_size,
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let old = self.entries.shift_remove(key)?;
        self.size -= old.size_bytes() + key.len() + 4;
        Some(old)
    }

    /// Changes the value of a key through `change`, keeping size and depth right.
    pub fn update<R>(&mut self, key: &str, change: impl FnOnce(&mut Value) -> R) -> Option<R> {
        let value = self.entries.get_mut(key)?;
        let before = value.size_bytes();
        let answer = change(value);
        self.size = self.size + value.size_bytes() - before;
        self.depth = self.depth.max(value.depth() + 1);
        Some(answer)
    }
}

impl FromIterator<(Arc<str>, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Value)>>(entries: I) -> Self {
        let mut map = Self { entries: IndexMap::new(), size: 0, depth: 1 };
        entries.into_iter().for_each(|(key, value)| map.insert(key, value));
        map
    }
}

impl PartialEq for Value {
    /// Deep; an integer equals a double of the same number; `null` only itself. \[D\]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Double(a), Self::Double(b)) => a == b,
            (Self::Int(a), Self::Double(b)) | (Self::Double(b), Self::Int(a)) => {
                compare_mixed(*a, *b) == Some(std::cmp::Ordering::Equal)
            }
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b) || a.items == b.items,
            (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b) || a.entries == b.entries,
            _ => false,
        }
    }
}

/// The integer that a whole double is, if it fits.
#[must_use]
pub fn whole(double: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (-BEYOND..BEYOND).contains(&double).then_some(double as i64)
}

/// Compares an integer with a double without losing digits.
#[must_use]
pub fn compare_mixed(int: i64, double: f64) -> Option<std::cmp::Ordering> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        None
    } else if double >= BEYOND {
        Some(std::cmp::Ordering::Less)
    } else if double < -BEYOND {
        Some(std::cmp::Ordering::Greater)
    } else {
        let whole = double.trunc();
        let order = int.cmp(&(whole as i64));
        Some(order.then_with(|| whole.partial_cmp(&double).unwrap_or(std::cmp::Ordering::Equal)))
    }
}

impl fmt::Display for Value {
    /// Compact JSON with sorted keys; bytes as their length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.to_json()) {
            (_, Ok(json)) => json.fmt(f),
            (Self::Bytes(bytes), _) => write!(f, "<{} bytes>", bytes.len()),
            (Self::Double(value), _) => f.write_str(&double_text(*value)),
            (Self::List(list), _) => f.debug_list().entries(&list.items).finish(),
            (Self::Map(map), _) => f.debug_map().entries(map.sorted()).finish(),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
    f64 => |value| Self::Double(value),
    &str => |value| Self::String(value.into()),
    String => |value| Self::String(value.into()),
    Arc<str> => |value| Self::String(value),
    Map => |value| Self::Map(Arc::new(value)),
    List => |value| Self::List(Arc::new(value)),
    Vec<Value> => |value| Self::list(value),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_integer_equals_a_double_of_the_same_number_only() {
        assert_eq!(Value::Int(1), Value::Double(1.0));
        assert_ne!(Value::Int(9_007_199_254_740_993), Value::Double(9_007_199_254_740_992.0));
        assert_ne!(Value::Null, Value::Bool(false));
    }

    #[test]
    fn sizes_follow_every_change() {
        let mut map = Map::default();
        map.insert("a".into(), Value::from("xy"));
        let one = Value::from(map.clone()).size_bytes();
        map.insert("b".into(), Value::Int(1));
        map.update("b", |value| *value = Value::list(vec![Value::Int(1)]));
        assert_eq!(Value::from(map.clone()).depth(), 2);
        map.remove("b");
        assert_eq!(Value::from(map).size_bytes(), one);
    }

    /// Size and depth from nothing.
    fn measured(value: &Value) -> (usize, u32) {
        let below = |(size, depth): (usize, u32), (more, deep): (usize, u32)| {
            (size + more, depth.max(deep + 1))
        };
        match value {
            Value::List(list) => {
                let items = list.items().iter().map(measured).map(|(size, deep)| (size + 1, deep));
                items.fold((2, 0), below)
            }
            Value::Map(map) => {
                let entries = map.iter().map(|(key, value)| {
                    let (size, deep) = measured(value);
                    (size + key.len() + 4, deep)
                });
                entries.fold((2, 0), below)
            }
            other => (other.size_bytes(), 0),
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |d| d.is_finite()).prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
                prop::collection::vec(("[a-c]", inner), 0..5).prop_map(Value::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn accounted_sizes_are_measured_sizes(
            start in any_value(),
            changes in prop::collection::vec((0usize..4, "[a-c]", any_value()), 0..12),
        ) {
            let mut map = Map::default();
            map.insert("a".into(), start);
            for (kind, key, value) in changes {
                match kind {
                    0 => map.insert(key.into(), value),
                    1 => drop(map.remove(&key)),
                    2 => drop(map.update(&key, |old| *old = Value::list(vec![old.clone(), value]))),
                    _ => drop(map.update(&key, |old| if let Value::List(list) = old {
                        Arc::make_mut(list).push(value);
                    })),
                }
            }
            let value = Value::from(map);
            let (size, depth) = measured(&value);
            prop_assert_eq!(value.size_bytes(), size);
            // A depth may be overestimated after a removal, never underestimated.
            prop_assert!(value.depth() >= depth.min(1) && value.depth() + 1 >= depth);
            let json = value.to_json().unwrap();
            prop_assert_eq!(Value::from(&json), value);
        }
    }
}
