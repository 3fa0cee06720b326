//! A document: its fields and its two times; as it is answered and as it is kept.

use jiff::Timestamp;
use jobmill_model::{Json, Value};

use super::name::DocumentName;
use super::path::FieldPath;
use super::value::{Field, Fields, time};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// An instant in microseconds since 1970, which is how exactly documents are dated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

impl Micros {
    /// Reads RFC 3339.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(text: &str) -> Read<Self> {
        time(text).map(|time| Self(time.as_microsecond()))
    }

    /// The instant as the type of a field.
    #[must_use]
    pub fn time(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX)
    }

    /// RFC 3339 with microseconds.
    #[must_use]
    pub fn to_value(self) -> Value {
        format!("{:.6}", self.time()).into()
    }
}

/// A document without its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its fields.
    pub fields: Fields,
    /// When it was created.
    pub created: Micros,
    /// When it was last written.
    pub updated: Micros,
}

impl Document {
    /// The text that its fields are kept as.
    #[must_use]
    pub fn content(&self) -> Json {
        Field::fields_value(&self.fields).to_json()
    }

    /// The document of a text that [`content`](Self::content) wrote.
    ///
    /// # Errors
    /// Other text.
    pub fn kept(content: &Json, created: Micros, updated: Micros) -> Read<Self> {
        let value = content.to_value().map_err(|error| Error::invalid(error.to_string()))?;
        Ok(Self { fields: Field::read_fields(Some(&value))?, created, updated })
    }

    /// The answer; of its fields only those under the mask, if there is one.
    #[must_use]
    pub fn to_value(&self, name: &DocumentName, mask: Option<&[FieldPath]>) -> Value {
        let fields = match mask {
            None => Field::fields_value(&self.fields),
            Some(mask) => {
                let mut shown = Fields::new();
                for path in mask {
                    if let Some(field) = path.get(&self.fields) {
                        path.set(&mut shown, field.clone());
                    }
                }
                Field::fields_value(&shown)
            }
        };
        Value::map([
            ("name", name.to_string().into()),
            ("fields", fields),
            ("createTime", self.created.to_value()),
            ("updateTime", self.updated.to_value()),
        ])
    }
}

/// A mask of fields as its JSON form `{"fieldPaths": […]}`; nothing is no mask.
///
/// # Errors
/// Anything else.
pub fn field_mask(mask: Option<&Value>) -> Read<Option<Vec<FieldPath>>> {
    let paths = match mask {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => {
            let paths = text.split(',').filter(|path| !path.is_empty());
            return paths.map(FieldPath::read).collect::<Read<_>>().map(Some);
        }
        Some(mask) => read::list(read::object(mask, "mask")?.get("fieldPaths"), "fieldPaths")?,
    };
    let paths = paths.iter().map(|path| FieldPath::read(read::text(path, "fieldPaths")?));
    paths.collect::<Read<_>>().map(Some)
}
