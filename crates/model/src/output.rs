//! A result as ordered chunks of text, so that a large one never sits in memory whole.
//!
//! The result of a job is one JSON value. Where it is an object, each chunk is an object of its
//! own whose entries follow on those of the chunk before, so that stock SQL can read the
//! entries; any other value is its text, cut anywhere between two characters.

/// What the result of a job is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// One object; every chunk is an object with the next entries.
    Object,
    /// Any other value; the chunks joined are its text.
    Text,
}

/// A piece of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The place of the chunk's first entry ([`Shape::Object`]) or byte ([`Shape::Text`]) in the
    /// whole result, from 0. Chunks of one result are ordered by it.
    pub first: u64,
    /// How many entries or bytes the chunk has.
    pub len: u64,
    /// The text.
    pub text: String,
}

/// The whole of a finished result, without its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// What the chunks are made of.
    pub shape: Shape,
    /// How many entries or bytes the result has.
    pub len: u64,
}

/// The entries of a chunk of [`Shape::Object`], each as the texts of its key and its value.
///
/// The chunk is trusted to be compact JSON, so its entries are found without being read.
///
/// ```
/// let entries: Vec<_> = jobmill_model::output::entries(r#"{"a":[1,{"b":2}],"c":"}"}"#).collect();
/// assert_eq!(entries, [(r#""a""#, r#"[1,{"b":2}]"#), (r#""c""#, r#""}""#)]);
/// ```
#[must_use]
pub fn entries(text: &str) -> Entries<'_> {
    Entries { text, at: 1 }
}

/// See [`entries`].
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        if bytes.get(self.at) != Some(&b'"') {
            return None;
        }
        let colon = string_end(bytes, self.at);
        let end = value_end(bytes, colon + 1);
        let entry = (self.text.get(self.at..colon)?, self.text.get(colon + 1..end)?);
        self.at = end + 1;
        Some(entry)
    }
}

/// The place after the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    at
}

/// The place after the value that begins at `at`: that of the comma or brace behind it.
fn value_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = string_end(bytes, at);
                continue;
            }
            b',' | b'}' if depth == 0 => return at,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Map, Value};
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let text = r#"[a\\"\\\\{}\\[\\],:é\n]{0,6}"#;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..4).prop_map(Value::map),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_entries_of_an_object_are_found_in_its_text(
            entries_in in prop::collection::vec((".*", any_value()), 0..8),
        ) {
            let map: Map = entries_in.into_iter().collect();
            let text = Value::from(map.clone()).to_string();
            let read = |text: &str| Value::from_json(text.as_bytes()).unwrap();
            let found: Vec<_> =
                entries(&text).map(|(key, value)| (read(key), read(value))).collect();
            let expected: Vec<_> = map
                .iter()
                .map(|(key, value)| (Value::from(key.clone()), value.clone()))
                .collect();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_broken_chunk_ends_its_entries_without_a_panic() {
        for text in ["", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":[1", "{\"a\":]", "{\"a\\"]
        {
            assert!(entries(text).count() <= 1, "{text}");
        }
    }
}
