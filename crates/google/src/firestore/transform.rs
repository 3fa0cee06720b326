//! Changes of one field that depend on what it holds.

use std::cmp::Ordering;

use jobmill_model::{Map, Value};

use super::document::Micros;
use super::path::FieldPath;
use super::value::{Field, Fields};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// A change of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    /// Which field.
    pub path: FieldPath,
    /// What becomes of it.
    pub change: Change,
}

/// What becomes of a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The time of the commit.
    RequestTime,
    /// The sum; a whole number stops at the ends of 64 bits.
    Increment(Field),
    /// The larger number.
    Maximum(Field),
    /// The smaller number.
    Minimum(Field),
    /// The array and those of these that it has not.
    AppendMissing(Vec<Field>),
    /// The array without these.
    RemoveAll(Vec<Field>),
}

impl Transform {
    /// Reads `{"fieldPath": …, "increment": …}` and the like.
    ///
    /// # Errors
    /// Anything else.
    pub fn read(value: &Value) -> Read<Self> {
        let map = read::object(value, "fieldTransform")?;
        let path = read::text_or(map.get("fieldPath"), "fieldPath")?;
        let path = path.ok_or_else(|| Error::invalid("a transform needs a fieldPath"))?;
        Ok(Self { path: FieldPath::read(path)?, change: change(map)? })
    }

    /// Changes the field; answers what the write reports about it.
    pub fn apply(&self, fields: &mut Fields, now: Micros) -> Field {
        let present = self.path.get(fields);
        let (field, report) = match &self.change {
            Change::RequestTime => both(Field::Time(now)),
            Change::Increment(by) => both(sum(present, by)),
            Change::Maximum(other) => both(larger(present, other, Ordering::Greater)),
            Change::Minimum(other) => both(larger(present, other, Ordering::Less)),
            Change::AppendMissing(items) => {
                let mut list = present.map_or_else(Vec::new, items_of);
                for item in items {
                    if !list.iter().any(|known| known.same(item)) {
                        list.push(item.clone());
                    }
                }
                (Field::List(list), Field::Null)
            }
            Change::RemoveAll(items) => {
                let mut list = present.map_or_else(Vec::new, items_of);
                list.retain(|known| !items.iter().any(|item| item.same(known)));
                (Field::List(list), Field::Null)
            }
        };
        self.path.set(fields, field);
        report
    }
}

fn change(map: &Map) -> Read<Change> {
    let mut changes = map.iter().filter(|(name, _)| &***name != "fieldPath");
    let (Some((name, value)), None) = (changes.next(), changes.next()) else {
        return Err(Error::invalid("a transform has one change beside its fieldPath"));
    };
    Ok(match &**name {
        "setToServerValue" => {
            read::choice(value, &[("REQUEST_TIME", 1, ())], name)?;
            Change::RequestTime
        }
        "increment" => Change::Increment(number(value, name)?),
        "maximum" => Change::Maximum(number(value, name)?),
        "minimum" => Change::Minimum(number(value, name)?),
        "appendMissingElements" => Change::AppendMissing(items(value, name)?),
        "removeAllFromArray" => Change::RemoveAll(items(value, name)?),
        other => return Err(Error::invalid(format!("unknown transform {other:?}"))),
    })
}

fn number(value: &Value, name: &str) -> Read<Field> {
    match Field::read(value)? {
        number @ (Field::Int(_) | Field::Double(_)) => Ok(number),
        _ => Err(Error::invalid(format!("{name} needs an integerValue or a doubleValue"))),
    }
}

fn items(value: &Value, name: &str) -> Read<Vec<Field>> {
    let items = read::list(read::object(value, name)?.get("values"), "values")?;
    items.iter().map(Field::read).collect()
}

fn both(field: Field) -> (Field, Field) {
    (field.clone(), field)
}

/// What is no array counts as an empty one.
fn items_of(field: &Field) -> Vec<Field> {
    if let Field::List(items) = field { items.clone() } else { Vec::new() }
}

fn as_double(field: &Field) -> Option<f64> {
    match field {
        Field::Int(number) => Some(*number as f64),
        Field::Double(double) => Some(*double),
        _ => None,
    }
}

fn sum(present: Option<&Field>, by: &Field) -> Field {
    match (present, by) {
        (Some(Field::Int(a)), Field::Int(b)) => Field::Int(a.saturating_add(*b)),
        (Some(a), b) => match (as_double(a), as_double(b)) {
            (Some(a), Some(b)) => Field::Double(a + b),
            _ => by.clone(),
        },
        (None, by) => by.clone(),
    }
}

/// The one that lies on the `wanted` side; the present one if they are equal, and `NaN` if one is.
fn larger(present: Option<&Field>, other: &Field, wanted: Ordering) -> Field {
    match present.filter(|field| as_double(field).is_some()) {
        None => other.clone(),
        Some(present) if present.is_nan() || other.is_nan() => Field::Double(f64::NAN),
        Some(present) if other.order(present) == wanted => other.clone(),
        Some(present) => present.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(transform: &str, field: Option<&str>) -> (String, String) {
        let json = |text: &str| Value::from_json(text.as_bytes()).unwrap();
        let transform = Transform::read(&json(transform)).unwrap();
        let mut fields = Fields::new();
        if let Some(field) = field {
            fields.insert("n".to_owned(), Field::read(&json(field)).unwrap());
        }
        let report = transform.apply(&mut fields, Micros(1_000_001));
        (fields["n"].to_value().to_string(), report.to_value().to_string())
    }

    const NULL: &str = r#"{"nullValue":null}"#;

    #[test]
    fn numbers_are_summed_and_stop_at_the_ends() {
        let by = |by: &str| format!(r#"{{"fieldPath":"n","increment":{by}}}"#);
        for (present, by_what, expected) in [
            (None, r#"{"integerValue":"5"}"#, r#"{"integerValue":"5"}"#),
            (Some(r#"{"integerValue":"2"}"#), r#"{"integerValue":5}"#, r#"{"integerValue":"7"}"#),
            (Some(r#"{"integerValue":"2"}"#), r#"{"doubleValue":0.5}"#, r#"{"doubleValue":2.5}"#),
            (Some(r#"{"stringValue":"x"}"#), r#"{"integerValue":"5"}"#, r#"{"integerValue":"5"}"#),
            (
                Some(r#"{"integerValue":"9223372036854775807"}"#),
                r#"{"integerValue":"1"}"#,
                r#"{"integerValue":"9223372036854775807"}"#,
            ),
        ] {
            let (field, report) = applied(&by(by_what), present);
            assert_eq!((field.as_str(), report.as_str()), (expected, expected));
        }
    }

    #[test]
    fn the_larger_and_the_smaller_number_win() {
        let one = Some(r#"{"integerValue":"1"}"#);
        for (kind, value, expected) in [
            ("maximum", r#"{"doubleValue":1.5}"#, r#"{"doubleValue":1.5}"#),
            ("maximum", r#"{"doubleValue":1.0}"#, r#"{"integerValue":"1"}"#),
            ("minimum", r#"{"integerValue":"-1"}"#, r#"{"integerValue":"-1"}"#),
            ("minimum", r#"{"integerValue":"2"}"#, r#"{"integerValue":"1"}"#),
            ("minimum", r#"{"doubleValue":"NaN"}"#, r#"{"doubleValue":"NaN"}"#),
        ] {
            let transform = format!(r#"{{"fieldPath":"n","{kind}":{value}}}"#);
            assert_eq!(applied(&transform, one).0, expected);
        }
    }

    #[test]
    fn arrays_get_what_they_lack_and_lose_what_they_have() {
        let list = |items: &str| format!(r#"{{"arrayValue":{{"values":[{items}]}}}}"#);
        let (a, b) = (r#"{"stringValue":"a"}"#, r#"{"stringValue":"b"}"#);
        let append =
            format!(r#"{{"fieldPath":"n","appendMissingElements":{{"values":[{a},{b},{b}]}}}}"#);
        assert_eq!(applied(&append, Some(&list(b))), (list(&format!("{b},{a}")), NULL.to_owned()));
        assert_eq!(applied(&append, Some(a)).0, list(&format!("{a},{b}")));
        let remove = format!(r#"{{"fieldPath":"n","removeAllFromArray":{{"values":[{a}]}}}}"#);
        assert_eq!(applied(&remove, Some(&list(&format!("{a},{b},{a}")))).0, list(b));
    }

    #[test]
    fn the_time_of_the_commit_is_set() {
        let transform = r#"{"fieldPath":"n","setToServerValue":"REQUEST_TIME"}"#;
        let expected = r#"{"timestampValue":"1970-01-01T00:00:01.000001Z"}"#;
        assert_eq!(applied(transform, None), (expected.to_owned(), expected.to_owned()));
    }

    #[test]
    fn what_is_no_transform_is_refused() {
        for text in [
            r#"{"increment":{"integerValue":"1"}}"#,
            r#"{"fieldPath":"n"}"#,
            r#"{"fieldPath":"n","increment":{"stringValue":"1"}}"#,
            r#"{"fieldPath":"n","multiply":{"integerValue":"1"}}"#,
            r#"{"fieldPath":"n","setToServerValue":"YESTERDAY"}"#,
        ] {
            assert!(
                Transform::read(&Value::from_json(text.as_bytes()).unwrap()).is_err(),
                "{text}"
            );
        }
    }
}
