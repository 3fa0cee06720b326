//! A table's schema.

use jobmill_model::{Map, Value};

use crate::limits::{COLUMNS, RECORD_DEPTH_LEVELS};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// The columns of a table or the fields of a record, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schema {
    /// The columns.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Whether it may or must be there, or repeats.
    pub mode: Mode,
    /// What it is for.
    pub description: Option<String>,
}

/// The type of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `STRING`
    String,
    /// `BYTES`
    Bytes,
    /// `INTEGER`, `INT64`
    Integer,
    /// `FLOAT`, `FLOAT64`
    Float,
    /// `NUMERIC`
    Numeric,
    /// `BIGNUMERIC`
    BigNumeric,
    /// `BOOLEAN`, `BOOL`
    Boolean,
    /// `TIMESTAMP`
    Timestamp,
    /// `DATE`
    Date,
    /// `TIME`
    Time,
    /// `DATETIME`
    DateTime,
    /// `JSON`
    Json,
    /// `RECORD`, `STRUCT`
    Record(Schema),
}

/// Whether a column may or must be there, or repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It may be null.
    Nullable,
    /// It must be there.
    Required,
    /// It is a list.
    Repeated,
}

const MODES: [(&str, i64, Mode); 3] = [
    ("NULLABLE", 1, Mode::Nullable),
    ("REQUIRED", 2, Mode::Required),
    ("REPEATED", 3, Mode::Repeated),
];

impl Kind {
    /// The type of a name, in both of its spellings.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().as_str() {
            "STRING" => Self::String,
            "BYTES" => Self::Bytes,
            "INTEGER" | "INT64" => Self::Integer,
            "FLOAT" | "FLOAT64" => Self::Float,
            "NUMERIC" | "DECIMAL" => Self::Numeric,
            "BIGNUMERIC" | "BIGDECIMAL" => Self::BigNumeric,
            "BOOLEAN" | "BOOL" => Self::Boolean,
            "TIMESTAMP" => Self::Timestamp,
            "DATE" => Self::Date,
            "TIME" => Self::Time,
            "DATETIME" => Self::DateTime,
            "JSON" => Self::Json,
            "RECORD" | "STRUCT" => Self::Record(Schema::default()),
            _ => return None,
        })
    }

    /// Its name, as schemas are answered.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Integer => "INTEGER",
            Self::Float => "FLOAT",
            Self::Numeric => "NUMERIC",
            Self::BigNumeric => "BIGNUMERIC",
            Self::Boolean => "BOOLEAN",
            Self::Timestamp => "TIMESTAMP",
            Self::Date => "DATE",
            Self::Time => "TIME",
            Self::DateTime => "DATETIME",
            Self::Json => "JSON",
            Self::Record(_) => "RECORD",
        }
    }
}

impl Schema {
    /// Reads `{"fields": […]}`; nothing is a table without columns.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(value: Option<&Value>) -> Read<Self> {
        match value {
            None | Some(Value::Null) => Ok(Self::default()),
            Some(value) => {
                let fields = read::object(value, "schema")?.get("fields");
                Self::read_fields(fields, RECORD_DEPTH_LEVELS, &mut COLUMNS.clone())
            }
        }
    }

    fn read_fields(fields: Option<&Value>, levels: usize, left: &mut usize) -> Read<Self> {
        let mut columns: Vec<Column> = Vec::new();
        for field in read::list(fields, "schema.fields")? {
            *left = left
                .checked_sub(1)
                .ok_or_else(|| invalid(format!("a schema has at most {COLUMNS} columns")))?;
            let column = Column::read(read::object(field, "schema.fields")?, levels, left)?;
            if columns.iter().any(|known| known.is_named(&column.name)) {
                return Err(invalid(format!("Duplicate field name: {}", column.name)));
            }
            columns.push(column);
        }
        Ok(Self { columns })
    }

    /// The place of a column; capitals do not count.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.is_named(name))
    }

    /// The JSON form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::map([("fields", self.fields())])
    }

    fn fields(&self) -> Value {
        Value::list(self.columns.iter().map(Column::to_value))
    }
}

impl Column {
    fn read(map: &Map, levels: usize, left: &mut usize) -> Read<Self> {
        let name = read::text_or(map.get("name"), "name")?.unwrap_or_default();
        let fits = name.len() <= 300
            && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !fits {
            return Err(invalid(format!(
                "Invalid field name {name:?}. Fields must contain only letters, digits and \
                 underscores, start with a letter or underscore, and be at most 300 long"
            )));
        }
        let text = read::text_or(map.get("type"), "type")?.unwrap_or_default();
        let mut kind = Kind::named(text).ok_or_else(|| {
            invalid(format!("field {name}: {text:?} is no type of a column that is known here"))
        })?;
        if let Kind::Record(schema) = &mut kind {
            let levels = levels.checked_sub(1).ok_or_else(|| {
                invalid(format!("records are nested deeper than {RECORD_DEPTH_LEVELS} levels"))
            })?;
            *schema = Schema::read_fields(map.get("fields"), levels, left)?;
            if schema.columns.is_empty() {
                return Err(invalid(format!("Field {name} is type RECORD but has no schema")));
            }
        }
        let mode = match map.get("mode") {
            None | Some(Value::Null) => Mode::Nullable,
            Some(mode) => read::choice(mode, &MODES, "mode")?,
        };
        let description = read::text_or(map.get("description"), "description")?.map(str::to_owned);
        Ok(Self { name: name.to_owned(), kind, mode, description })
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn to_value(&self) -> Value {
        let mode = MODES.iter().find(|(.., mode)| *mode == self.mode).map_or("", |(name, ..)| name);
        let mut map = Map::new();
        map.insert("name", self.name.as_str().into());
        map.insert("type", self.kind.name().into());
        map.insert("mode", mode.into());
        if let Some(description) = &self.description {
            map.insert("description", description.as_str().into());
        }
        if let Kind::Record(schema) = &self.kind {
            map.insert("fields", schema.fields());
        }
        map.into()
    }
}

pub(super) fn invalid(message: String) -> Error {
    Error::invalid(message).because("invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read<Schema> {
        Schema::read(Some(&Value::from_json(text.as_bytes()).unwrap()))
    }

    #[test]
    fn a_schema_is_answered_in_the_older_spelling() {
        let schema = read(
            r#"{"fields":[{"name":"a","type":"INT64","mode":"REQUIRED"},{"name":"r",
            "type":"struct","mode":"REPEATED","fields":[{"name":"b","type":"BOOL"}]}]}"#,
        );
        assert_eq!(
            schema.unwrap().to_value().to_string(),
            concat!(
                r#"{"fields":[{"name":"a","type":"INTEGER","mode":"REQUIRED"},"#,
                r#"{"name":"r","type":"RECORD","mode":"REPEATED","fields":["#,
                r#"{"name":"b","type":"BOOLEAN","mode":"NULLABLE"}]}]}"#
            )
        );
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for text in [
            r#"{"fields":[{"name":"a b","type":"STRING"}]}"#,
            r#"{"fields":[{"name":"a","type":"TEXT"}]}"#,
            r#"{"fields":[{"name":"a","type":"STRING"},{"name":"A","type":"STRING"}]}"#,
            r#"{"fields":[{"name":"a","type":"RECORD"}]}"#,
            r#"{"fields":[{"name":"a","type":"STRING","mode":"OPTIONAL"}]}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = r#"{"fields":[{"name":"a","type":"RECORD","#.to_owned()
            + &r#""fields":[{"name":"a","type":"RECORD","#.repeat(15);
        let text = deep + r#""fields":[{"name":"a","type":"STRING"}]"# + &"}]".repeat(16) + "}";
        assert!(read(&text).unwrap_err().message.contains("deeper than 15"));
    }
}
