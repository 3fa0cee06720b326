//! A typed value of a document: its JSON form, and the order in which values are sorted.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use jobmill_model::Value;

use super::document::Micros;
use super::name::DocumentName;
use crate::limits::FIELD_DEPTH_LEVELS;
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// The fields of a document or of a map, by name.
pub type Fields = BTreeMap<String, Field>;

/// A typed value.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// `nullValue`
    Null,
    /// `booleanValue`
    Bool(bool),
    /// `integerValue`
    Int(i64),
    /// `doubleValue`
    Double(f64),
    /// `timestampValue`
    Time(Micros),
    /// `stringValue`
    Text(String),
    /// `bytesValue`
    Bytes(Vec<u8>),
    /// `referenceValue`
    Reference(String),
    /// `geoPointValue`: latitude and longitude
    Place(f64, f64),
    /// `arrayValue`
    List(Vec<Field>),
    /// `mapValue`
    Map(Fields),
}

impl Field {
    /// Reads `{"integerValue": "5"}` and the like.
    ///
    /// # Errors
    /// Anything else, and a nest that is too deep.
    pub fn read(value: &Value) -> Read<Self> {
        Self::read_at(value, FIELD_DEPTH_LEVELS)
    }

    fn read_at(value: &Value, levels: usize) -> Read<Self> {
        let map = read::object(value, "value")?;
        let Some((kind, content)) = map.at(0).filter(|_| map.len() == 1) else {
            return Err(Error::invalid(format!(
                "a value is an object with one key that names its type, such as \
                 {{\"stringValue\": \"x\"}}; got {} keys",
                map.len()
            )));
        };
        let kind = &**kind;
        Ok(match kind {
            "nullValue" => null(content)?,
            "booleanValue" => Self::Bool(read::boolean(content, kind)?),
            "integerValue" => Self::Int(read::integer(content, kind)?),
            // One zero has no sign here.
            "doubleValue" => Self::Double(read::double(content, kind)? + 0.0),
            "timestampValue" => Self::Time(Micros::read(read::text(content, kind)?)?),
            "stringValue" => Self::Text(read::text(content, kind)?.to_owned()),
            "bytesValue" => Self::Bytes(bytes(read::text(content, kind)?)?),
            "referenceValue" => Self::Reference(read::text(content, kind)?.to_owned()),
            "geoPointValue" => place(content)?,
            "arrayValue" => {
                let items = read::list(read::object(content, kind)?.get("values"), "values")?;
                let levels = deeper(levels)?;
                let items = items.iter().map(|item| Self::read_at(item, levels));
                Self::List(items.collect::<Read<_>>()?)
            }
            "mapValue" => {
                let fields = read::object(content, kind)?.get("fields");
                Self::Map(fields_at(fields, deeper(levels)?)?)
            }
            other => return Err(Error::invalid(format!("unknown type of value {other:?}"))),
        })
    }

    /// Reads the fields of a document that is to be written; nothing is none.
    ///
    /// # Errors
    /// See [`read`](Self::read); what a document cannot hold, too.
    pub fn read_fields(fields: Option<&Value>) -> Read<Fields> {
        let fields = Self::kept_fields(fields)?;
        fields.iter().try_for_each(|(name, field)| {
            let at = |error: Error| Error::invalid(format!("field {name:?}: {}", error.message));
            check_name(name).and_then(|()| field.check()).map_err(at)
        })?;
        Ok(fields)
    }

    /// Reads the fields of a document that was written before.
    pub(super) fn kept_fields(fields: Option<&Value>) -> Read<Fields> {
        fields_at(fields, FIELD_DEPTH_LEVELS)
    }

    /// Checks what only a document that is written has to keep.
    fn check(&self) -> Read<()> {
        match self {
            Self::Reference(name) => DocumentName::read(name).map(drop),
            Self::List(items) => items.iter().try_for_each(|item| match item {
                Self::List(_) => Err(Error::invalid("an array cannot hold another array")),
                item => item.check(),
            }),
            Self::Map(fields) => fields
                .iter()
                .try_for_each(|(name, field)| check_name(name).and_then(|()| field.check())),
            _ => Ok(()),
        }
    }

    /// Writes the JSON form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let (kind, content) = match self {
            Self::Null => ("nullValue", Value::Null),
            Self::Bool(value) => ("booleanValue", (*value).into()),
            Self::Int(number) => ("integerValue", number.to_string().into()),
            Self::Double(double) => ("doubleValue", read::double_value(*double)),
            Self::Time(time) => ("timestampValue", time.to_text().into()),
            Self::Text(text) => ("stringValue", text.as_str().into()),
            Self::Bytes(bytes) => ("bytesValue", STANDARD.encode(bytes).into()),
            Self::Reference(name) => ("referenceValue", name.as_str().into()),
            Self::Place(latitude, longitude) => {
                let place = [("latitude", *latitude), ("longitude", *longitude)];
                ("geoPointValue", Value::map(place.map(|(name, at)| (name, at.into()))))
            }
            Self::List(items) if items.is_empty() => ("arrayValue", empty()),
            Self::List(items) => {
                let items = Value::list(items.iter().map(Self::to_value));
                ("arrayValue", Value::map([("values", items)]))
            }
            Self::Map(fields) if fields.is_empty() => ("mapValue", empty()),
            Self::Map(fields) => ("mapValue", Value::map([("fields", Self::fields_value(fields))])),
        };
        Value::map([(kind, content)])
    }

    /// The value without its type, as plain JSON.
    #[must_use]
    pub fn to_plain(&self) -> Value {
        match self {
            Self::Int(number) => (*number).into(),
            Self::List(items) => Value::list(items.iter().map(Self::to_plain)),
            Self::Map(fields) => {
                let entries = fields.iter().map(|(name, field)| (name.as_str(), field.to_plain()));
                Value::map(entries)
            }
            other => {
                let typed = other.to_value();
                let content = typed.as_map().and_then(|map| map.at(0));
                content.map(|(_, content)| content.clone()).unwrap_or_default()
            }
        }
    }

    /// Writes an object of typed values.
    #[must_use]
    pub fn fields_value(fields: &Fields) -> Value {
        Value::map(fields.iter().map(|(name, field)| (name.as_str(), field.to_value())))
    }

    /// Where values of this type stand among the types.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) | Self::Double(_) => 2,
            Self::Time(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
            Self::Reference(_) => 6,
            Self::Place(..) => 7,
            Self::List(_) => 8,
            Self::Map(_) => 9,
        }
    }

    /// Firestore's order of all values: by type first, `NaN` before all numbers.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => doubles(*a, *b),
            (Self::Int(a), Self::Double(b)) => int_and_double(*a, *b),
            (Self::Double(a), Self::Int(b)) => int_and_double(*b, *a).reverse(),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Reference(a), Self::Reference(b)) => a.split('/').cmp(b.split('/')),
            (Self::Place(a, b), Self::Place(c, d)) => doubles(*a, *c).then(doubles(*b, *d)),
            (Self::List(a), Self::List(b)) => in_turn(a.iter(), b.iter(), Self::order),
            (Self::Map(a), Self::Map(b)) => {
                in_turn(a.iter(), b.iter(), |a, b| a.0.cmp(b.0).then_with(|| a.1.order(b.1)))
            }
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// Whether the two are the same for a query or a transform: `1` and `1.0` are.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }

    /// Whether this is the double that is no number.
    #[must_use]
    pub fn is_nan(&self) -> bool {
        matches!(self, Self::Double(double) if double.is_nan())
    }
}

fn empty() -> Value {
    Value::map::<&str>([])
}

fn deeper(levels: usize) -> Read<usize> {
    levels.checked_sub(1).ok_or_else(|| {
        Error::invalid(format!("values are nested deeper than {FIELD_DEPTH_LEVELS} levels"))
    })
}

fn fields_at(fields: Option<&Value>, levels: usize) -> Read<Fields> {
    let fields = match fields {
        None | Some(Value::Null) => return Ok(Fields::new()),
        Some(fields) => read::object(fields, "fields")?,
    };
    let read = fields.iter().map(|(name, value)| {
        if name.is_empty() {
            return Err(Error::invalid("the name of a field is empty"));
        }
        let field = Field::read_at(value, levels);
        let at = |error: Error| Error::invalid(format!("field {name:?}: {}", error.message));
        Ok((name.to_string(), field.map_err(at)?))
    });
    read.collect()
}

fn null(content: &Value) -> Read<Field> {
    match content {
        Value::Null => Ok(Field::Null),
        other => {
            read::choice(other, &[("NULL_VALUE", 0, ())], "nullValue")?;
            Ok(Field::Null)
        }
    }
}

/// Names that Firestore keeps for itself.
fn check_name(name: &str) -> Read<()> {
    if name.len() >= 4 && name.starts_with("__") && name.ends_with("__") {
        let text = format!("the name of the field {name:?} is reserved");
        return Err(Error::invalid(text));
    }
    Ok(())
}

fn bytes(text: &str) -> Read<Vec<u8>> {
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .map_err(|error| Error::invalid(format!("bytesValue is not base64: {error}")))
}

fn place(value: &Value) -> Read<Field> {
    let map = read::object(value, "geoPointValue")?;
    let coordinate = |name: &str, most: f64| match map.get(name) {
        None => Ok(0.0),
        Some(value) => {
            let degrees = read::double(value, name)?;
            let fits = degrees.abs() <= most;
            let text = format!("{name} must be between -{most} and {most}, got {degrees}");
            fits.then_some(degrees).ok_or_else(|| Error::invalid(text))
        }
    };
    Ok(Field::Place(coordinate("latitude", 90.0)?, coordinate("longitude", 180.0)?))
}

/// `NaN` is less than every number, and `-0` is `0`.
fn doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// Exactly, also where a double cannot hold the whole number.
fn int_and_double(int: i64, double: f64) -> Ordering {
    if double.is_nan() {
        return Ordering::Greater;
    }
    // Two to the power of 63, which is where the whole numbers end.
    const END: f64 = 9_223_372_036_854_775_808.0;
    if double >= END {
        return Ordering::Less;
    }
    if double < -END {
        return Ordering::Greater;
    }
    int.cmp(&(double.trunc() as i64)).then_with(|| 0.0_f64.total_cmp(&(double.fract() + 0.0)))
}

fn in_turn<T>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
    order: impl Fn(T, T) -> Ordering,
) -> Ordering {
    loop {
        match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match order(a, b) {
                Ordering::Equal => {}
                unequal => return unequal,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Read<Field> {
        Field::read(&Value::from_json(text.as_bytes()).unwrap())
    }

    /// In Firestore's order, no two alike.
    const RISING: &[&str] = &[
        r#"{"nullValue":null}"#,
        r#"{"booleanValue":false}"#,
        r#"{"booleanValue":true}"#,
        r#"{"doubleValue":"NaN"}"#,
        r#"{"doubleValue":"-Infinity"}"#,
        r#"{"integerValue":"-9223372036854775808"}"#,
        r#"{"integerValue":"-1"}"#,
        r#"{"doubleValue":-0.5}"#,
        r#"{"integerValue":"0"}"#,
        r#"{"doubleValue":0.5}"#,
        r#"{"integerValue":"1"}"#,
        r#"{"integerValue":"9007199254740992"}"#,
        r#"{"integerValue":"9007199254740993"}"#,
        r#"{"integerValue":"9223372036854775807"}"#,
        r#"{"doubleValue":9.223372036854776e+18}"#,
        r#"{"doubleValue":"Infinity"}"#,
        r#"{"timestampValue":"2026-01-02T03:04:05.000001Z"}"#,
        r#"{"timestampValue":"2026-01-02T03:04:05.100Z"}"#,
        r#"{"stringValue":""}"#,
        r#"{"stringValue":"a"}"#,
        r#"{"stringValue":"é"}"#,
        r#"{"bytesValue":"AA=="}"#,
        r#"{"referenceValue":"projects/p/databases/d/documents/a/b"}"#,
        r#"{"referenceValue":"projects/p/databases/d/documents/a-b/b"}"#,
        r#"{"geoPointValue":{"latitude":1.0,"longitude":2.0}}"#,
        r#"{"arrayValue":{}}"#,
        r#"{"arrayValue":{"values":[{"integerValue":"1"}]}}"#,
        r#"{"arrayValue":{"values":[{"integerValue":"1"},{"nullValue":null}]}}"#,
        r#"{"arrayValue":{"values":[{"integerValue":"2"}]}}"#,
        r#"{"mapValue":{}}"#,
        r#"{"mapValue":{"fields":{"a":{"integerValue":"2"}}}}"#,
        r#"{"mapValue":{"fields":{"b":{"integerValue":"1"}}}}"#,
    ];

    #[test]
    fn every_type_reads_back_as_it_is_written() {
        for text in RISING {
            assert_eq!(read(text).unwrap().to_value().to_string(), *text);
        }
    }

    #[test]
    fn values_are_in_the_order_of_firestore() {
        let fields: Vec<Field> = RISING.iter().map(|text| read(text).unwrap()).collect();
        for (i, a) in fields.iter().enumerate() {
            for (j, b) in fields.iter().enumerate() {
                assert_eq!(a.order(b), i.cmp(&j), "{} and {}", RISING[i], RISING[j]);
            }
        }
        assert!(Field::Int(1).same(&Field::Double(1.0)));
        assert!(Field::Double(-0.0).same(&Field::Int(0)));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for text in [
            "5",
            "{}",
            r#"{"stringValue":"a","integerValue":"1"}"#,
            r#"{"stringValue":5}"#,
            r#"{"textValue":"a"}"#,
            r#"{"integerValue":"1.5"}"#,
            r#"{"timestampValue":"yesterday"}"#,
            r#"{"geoPointValue":{"latitude":91}}"#,
            r#"{"bytesValue":"?"}"#,
            r#"{"mapValue":{"fields":{"":{"nullValue":null}}}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = r#"{"arrayValue":{"values":["#.repeat(21) + &"]}}".repeat(21);
        assert!(read(&deep).unwrap_err().message.contains("deeper than 20"));
    }

    fn any_field() -> impl Strategy<Value = Field> {
        let leaf = prop_oneof![
            Just(Field::Null),
            any::<bool>().prop_map(Field::Bool),
            any::<i64>().prop_map(Field::Int),
            any::<f64>().prop_filter("equal to itself", |d| !d.is_nan()).prop_map(Field::Double),
            ".*".prop_map(Field::Text),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(Field::Bytes),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Field::List),
                prop::collection::btree_map(".+", inner, 0..4).prop_map(Field::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_reads_back_from_its_text(field in any_field()) {
            let text = field.to_value().to_json();
            prop_assert_eq!(Field::read(&text.to_value().unwrap()).unwrap(), field);
        }

        #[test]
        fn the_order_is_one(a in any_field(), b in any_field(), c in any_field()) {
            prop_assert_eq!(a.order(&b), b.order(&a).reverse());
            if a.order(&b).is_le() && b.order(&c).is_le() {
                prop_assert!(a.order(&c).is_le());
            }
        }
    }
}
