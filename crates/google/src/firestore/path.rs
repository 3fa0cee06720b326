//! The path of a field: names with dots in between, quoted with backticks where they must be.

use std::fmt;

use super::value::{Field, Fields};
use crate::wire::Error;
use crate::wire::read::Read;

/// The path of a field; never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(Vec<String>);

impl FieldPath {
    /// Reads ``a.b.`c d` ``.
    ///
    /// # Errors
    /// A path that is empty or not well formed.
    pub fn read(text: &str) -> Read<Self> {
        let bad = || Error::invalid(format!("not the path of a field: {text:?}"));
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = match rest.strip_prefix('`') {
                Some(quoted) => unquote(quoted).ok_or_else(bad)?,
                None => {
                    let end = rest.find('.').unwrap_or(rest.len());
                    (rest[..end].to_owned(), &rest[end..])
                }
            };
            if name.is_empty() {
                return Err(bad());
            }
            names.push(name);
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => return Ok(Self(names)),
                None => return Err(bad()),
            }
        }
    }

    /// The document's name, which queries know as a field.
    #[must_use]
    pub fn is_name(&self) -> bool {
        matches!(&self.0[..], [name] if name == "__name__")
    }

    /// The field at this path, if there is one.
    #[must_use]
    pub fn get<'a>(&self, fields: &'a Fields) -> Option<&'a Field> {
        let (last, maps) = self.0.split_last()?;
        let mut fields = fields;
        for name in maps {
            let Field::Map(inner) = fields.get(name)? else { return None };
            fields = inner;
        }
        fields.get(last)
    }

    /// Sets the field at this path; what stands in its way becomes a map.
    pub fn set(&self, fields: &mut Fields, field: Field) {
        let Some((last, maps)) = self.0.split_last() else { return };
        let mut fields = fields;
        for name in maps {
            let slot = fields.entry(name.clone()).or_insert(Field::Null);
            if !matches!(slot, Field::Map(_)) {
                *slot = Field::Map(Fields::new());
            }
            let Field::Map(inner) = slot else { return };
            fields = inner;
        }
        fields.insert(last.clone(), field);
    }

    /// Takes the field at this path out, if it is there.
    pub fn remove(&self, fields: &mut Fields) {
        let Some((last, maps)) = self.0.split_last() else { return };
        let mut fields = fields;
        for name in maps {
            let Some(Field::Map(inner)) = fields.get_mut(name) else { return };
            fields = inner;
        }
        fields.remove(last);
    }
}

/// The name up to the closing backtick, and what is behind it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut chars = quoted.char_indices();
    loop {
        match chars.next()? {
            (at, '`') => return Some((name, &quoted[at + 1..])),
            (_, '\\') => name.push(chars.next()?.1),
            (_, other) => name.push(other),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str(".")?;
            }
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit());
            match plain {
                true => f.write_str(name)?,
                false => {
                    write!(f, "`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_as_they_are_written() {
        for text in ["a", "a.b_1.C", "`a.b`.c", r"`\`\\`", "a.`1x`"] {
            assert_eq!(FieldPath::read(text).unwrap().to_string(), text);
        }
        for text in ["", ".", "a.", ".a", "a..b", "`a", "`a`b", "``"] {
            assert!(FieldPath::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn fields_are_set_and_removed_at_any_depth() {
        let path = FieldPath::read("a.b").unwrap();
        let mut fields = Fields::from([("a".to_owned(), Field::Int(1))]);
        assert_eq!(path.get(&fields), None);
        path.set(&mut fields, Field::Int(2));
        assert_eq!(path.get(&fields), Some(&Field::Int(2)));
        path.remove(&mut fields);
        assert_eq!(fields, Fields::from([("a".to_owned(), Field::Map(Fields::new()))]));
        FieldPath::read("x.y").unwrap().remove(&mut fields);
        assert_eq!(fields.len(), 1);
    }
}
