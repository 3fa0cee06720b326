//! One value of a row: read from what is inserted, kept, written as BigQuery answers, compared.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jobmill_model::Value;

use super::schema::{Column, Kind, Mode, Schema};
use crate::wire::read;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A double.
    Float(f64),
    /// A decimal number, in plain digits.
    Numeric(String),
    /// Text; also a date, a time and a date with a time, whose text sorts as they do, and JSON.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Microseconds since 1970.
    Instant(i64),
    /// The values of a repeated column.
    List(Vec<Cell>),
    /// The fields of a record.
    Record(Vec<Cell>),
}

/// How timestamps are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instants {
    /// Seconds with a fraction.
    Seconds,
    /// Whole microseconds.
    Micros,
}

/// Why a value does not fit its column: what is wrong, and in which field of it.
pub(super) type Misfit = (String, String);

impl Cell {
    /// Reads what is inserted into a column.
    pub(super) fn insert(column: &Column, value: &Value, lax: bool) -> Result<Self, Misfit> {
        let at = |(field, why): Misfit| match field.is_empty() {
            true => (column.name.clone(), why),
            false => (format!("{}.{field}", column.name), why),
        };
        let here = |why: &str| (column.name.clone(), why.to_owned());
        match (column.mode, value) {
            (Mode::Required, Value::Null) => {
                Err(here(&format!("Missing required field: {}.", column.name)))
            }
            (Mode::Repeated, Value::Null) => Ok(Self::List(Vec::new())),
            (_, Value::Null) => Ok(Self::Null),
            (Mode::Repeated, Value::List(items)) => {
                let item = |item: &Value| match item {
                    Value::Null => Err(here("Only optional fields can be set to NULL.")),
                    item => Self::scalar(&column.kind, item, lax).map_err(at),
                };
                items.iter().map(item).collect::<Result<_, _>>().map(Self::List)
            }
            (Mode::Repeated, _) => {
                let item = Self::scalar(&column.kind, value, lax).map_err(at)?;
                Ok(Self::List(vec![item]))
            }
            (_, Value::List(_)) if column.kind != Kind::Json => {
                Err(here("Array specified for non-repeated field."))
            }
            (_, value) => Self::scalar(&column.kind, value, lax).map_err(at),
        }
    }

    fn scalar(kind: &Kind, value: &Value, lax: bool) -> Result<Self, Misfit> {
        if let Kind::Record(schema) = kind {
            let Value::Map(map) = value else {
                return Err((String::new(), "This field is a record.".to_owned()));
            };
            return insert_record(schema, map, lax).map(Self::Record);
        }
        let name = kind.name().to_lowercase();
        let bad =
            || (String::new(), format!("Cannot convert value to {name} (bad value): {value}"));
        match (kind, value) {
            (Kind::Json, Value::String(text)) => {
                let json = Value::from_json(text.as_bytes()).map_err(|_| bad())?;
                Ok(Self::Text(json.to_string()))
            }
            (Kind::Json, value) => Ok(Self::Text(value.to_string())),
            (Kind::Timestamp, Value::Int(seconds)) => {
                seconds.checked_mul(1_000_000).map(Self::Instant).ok_or_else(bad)
            }
            (Kind::Timestamp, Value::Double(seconds)) if seconds.abs() < 9.0e12 => {
                Ok(Self::Instant((seconds * 1.0e6).round() as i64))
            }
            (_, Value::String(text)) => Self::parse(kind, text).ok_or_else(bad),
            (Kind::String | Kind::Boolean, Value::Bool(_))
            | (
                Kind::String | Kind::Integer | Kind::Float | Kind::Numeric | Kind::BigNumeric,
                Value::Int(_) | Value::Double(_),
            ) => Self::parse(kind, &value.to_string()).ok_or_else(bad),
            _ => Err(bad()),
        }
    }

    /// Reads the text of a value, as parameters and literals are written too.
    pub(super) fn parse(kind: &Kind, text: &str) -> Option<Self> {
        Some(match kind {
            Kind::String => Self::Text(text.to_owned()),
            Kind::Json => Self::Text(Value::from_json(text.as_bytes()).ok()?.to_string()),
            Kind::Bytes => Self::Bytes(STANDARD.decode(text).ok()?),
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Self::Bool(true),
                "false" | "f" | "0" => Self::Bool(false),
                _ => return None,
            },
            Kind::Integer => match text.parse() {
                Ok(number) => Self::Int(number),
                Err(_) => whole(text.parse().ok()?)?,
            },
            Kind::Float => Self::Float(read::double(&text.into(), "").ok()?),
            Kind::Numeric | Kind::BigNumeric => Self::Numeric(decimal(text)?),
            Kind::Timestamp => Self::Instant(instant(text)?),
            Kind::Date => Self::Text(text.parse::<jiff::civil::Date>().ok()?.to_string()),
            Kind::Time => Self::Text(format!("{:.6}", text.parse::<jiff::civil::Time>().ok()?)),
            Kind::DateTime => {
                let text = text.replacen(' ', "T", 1);
                Self::Text(format!("{:.6}", text.parse::<jiff::civil::DateTime>().ok()?))
            }
            Kind::Record(_) => return None,
        })
    }

    /// The form in which it is kept.
    pub(super) fn kept(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(number) | Self::Instant(number) => (*number).into(),
            Self::Float(double) => read::double_value(*double),
            Self::Numeric(text) | Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => STANDARD.encode(bytes).into(),
            Self::List(cells) | Self::Record(cells) => Value::list(cells.iter().map(Self::kept)),
        }
    }

    /// Reads the form in which it is kept; what is not of the column's type is nothing.
    pub(super) fn from_kept(column: &Column, value: &Value) -> Self {
        match (column.mode, value) {
            (Mode::Repeated, Value::List(items)) => {
                Self::List(items.iter().map(|item| Self::from_scalar(&column.kind, item)).collect())
            }
            (Mode::Repeated, _) => Self::List(Vec::new()),
            (_, value) => Self::from_scalar(&column.kind, value),
        }
    }

    fn from_scalar(kind: &Kind, value: &Value) -> Self {
        match (kind, value) {
            (Kind::Boolean, Value::Bool(value)) => Self::Bool(*value),
            (Kind::Integer, Value::Int(number)) => Self::Int(*number),
            (Kind::Timestamp, Value::Int(number)) => Self::Instant(*number),
            (Kind::Float, value) => read::double(value, "").map_or(Self::Null, Self::Float),
            (Kind::Numeric | Kind::BigNumeric, Value::String(text)) => {
                Self::Numeric(text.to_string())
            }
            (Kind::Bytes, Value::String(text)) => {
                STANDARD.decode(&**text).map_or(Self::Null, Self::Bytes)
            }
            (Kind::Record(schema), Value::List(items)) => {
                let pairs = schema.columns.iter().zip(items.iter());
                Self::Record(pairs.map(|(column, item)| Self::from_kept(column, item)).collect())
            }
            (_, Value::String(text)) => Self::Text(text.to_string()),
            _ => Self::Null,
        }
    }

    /// The value as `{"f": [{"v": …}]}` holds it.
    pub(super) fn wire(&self, instants: Instants) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.to_string().into(),
            Self::Int(number) => number.to_string().into(),
            Self::Float(double) => match read::double_value(*double) {
                Value::Double(double) => format!("{double:?}").into(),
                special => special,
            },
            Self::Numeric(text) | Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => STANDARD.encode(bytes).into(),
            Self::Instant(micros) => match instants {
                Instants::Micros => micros.to_string().into(),
                Instants::Seconds => format!("{:?}", *micros as f64 / 1.0e6).into(),
            },
            Self::List(cells) => {
                Value::list(cells.iter().map(|cell| Value::map([("v", cell.wire(instants))])))
            }
            Self::Record(cells) => wire_row(cells, instants),
        }
    }

    /// The order of two values that are not null; nothing if they cannot be compared.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) | (Self::Instant(a), Self::Instant(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Numeric(a), Self::Numeric(b)) => decimals(a, b),
            (Self::Numeric(a), Self::Int(b)) => decimals(a, &b.to_string()),
            (Self::Int(a), Self::Numeric(b)) => decimals(&a.to_string(), b),
            (a, b) => return a.as_float()?.partial_cmp(&b.as_float()?),
        })
    }

    fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(double) => Some(*double),
            Self::Int(number) => Some(*number as f64),
            Self::Numeric(text) => text.parse().ok(),
            _ => None,
        }
    }
}

/// A row as `{"f": [{"v": …}]}`.
pub(super) fn wire_row(cells: &[Cell], instants: Instants) -> Value {
    let cells = cells.iter().map(|cell| Value::map([("v", cell.wire(instants))]));
    Value::map([("f", Value::list(cells))])
}

/// The cells of a record or a row, in the order of its columns.
pub(super) fn insert_record(
    schema: &Schema,
    map: &jobmill_model::Map,
    lax: bool,
) -> Result<Vec<Cell>, Misfit> {
    let mut cells: Vec<Option<Cell>> = vec![None; schema.columns.len()];
    for (name, value) in map.iter() {
        match schema.position(name) {
            Some(place) => {
                cells[place] = Some(Cell::insert(&schema.columns[place], value, lax)?);
            }
            None if lax => {}
            None => return Err((name.to_string(), format!("no such field: {name}."))),
        }
    }
    let pairs = schema.columns.iter().zip(cells);
    pairs
        .map(|(column, cell)| cell.map_or_else(|| Cell::insert(column, &Value::Null, lax), Ok))
        .collect()
}

fn whole(double: f64) -> Option<Cell> {
    (double.fract() == 0.0 && double.abs() < 9.0e18).then_some(Cell::Int(double as i64))
}

/// RFC 3339, or BigQuery's own form with a space, a zone behind it or none.
fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_microsecond());
    }
    let plain = text.strip_suffix(" UTC").or(text.strip_suffix('Z')).unwrap_or(text);
    let time: jiff::civil::DateTime = plain.replacen(' ', "T", 1).parse().ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_microsecond())
}

/// The most digits that a decimal number may have, `BIGNUMERIC`'s.
const DECIMAL_DIGITS: usize = 77;

/// A decimal number in plain digits, without zeros that say nothing.
fn decimal(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, exponent) = match digits.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (front, back) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{front}{back}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) || exponent.abs() > 80 {
        return None;
    }
    let point = front.len() as i32 + exponent;
    let (front, back) = if point <= 0 {
        (String::new(), "0".repeat(point.unsigned_abs() as usize) + &all)
    } else if point as usize >= all.len() {
        let zeros = point as usize - all.len();
        (all + &"0".repeat(zeros), String::new())
    } else {
        (all[..point as usize].to_owned(), all[point as usize..].to_owned())
    };
    let (front, back) = (front.trim_start_matches('0'), back.trim_end_matches('0'));
    if front.len() + back.len() > DECIMAL_DIGITS {
        return None;
    }
    Some(match (front, back) {
        ("", "") => "0".to_owned(),
        ("", back) => format!("{sign}0.{back}"),
        (front, "") => format!("{sign}{front}"),
        (front, back) => format!("{sign}{front}.{back}"),
    })
}

/// The order of two decimal numbers in plain digits.
fn decimals(a: &str, b: &str) -> Ordering {
    fn parts(text: &str) -> (bool, &str, &str) {
        let digits = text.strip_prefix('-');
        let (front, back) =
            digits.unwrap_or(text).split_once('.').unwrap_or((digits.unwrap_or(text), ""));
        (digits.is_some(), front, back)
    }
    let ((a_falls, a_front, a_back), (b_falls, b_front, b_back)) = (parts(a), parts(b));
    let size = (a_front.len(), a_front, a_back).cmp(&(b_front.len(), b_front, b_back));
    match (a_falls, b_falls) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (a_falls, b_falls) => b_falls.cmp(&a_falls),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(kind: Kind, text: &str) -> Option<String> {
        Cell::parse(&kind, text).map(|cell| {
            let value = cell.wire(Instants::Seconds);
            value.as_str().unwrap_or("null").to_owned()
        })
    }

    #[test]
    fn values_are_written_as_bigquery_writes_them() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(wire(Kind::Integer, "5.0"), some("5"));
        assert_eq!(wire(Kind::Integer, "5.5"), None);
        assert_eq!(wire(Kind::Float, "NaN"), some("NaN"));
        assert_eq!(wire(Kind::Float, "1.5"), some("1.5"));
        assert_eq!(wire(Kind::Boolean, "TRUE"), some("true"));
        assert_eq!(wire(Kind::Timestamp, "1970-01-01 00:00:01.5 UTC"), some("1.5"));
        assert_eq!(wire(Kind::Timestamp, "1970-01-01T01:00:00+01:00"), some("0.0"));
        assert_eq!(wire(Kind::Timestamp, "yesterday"), None);
        assert_eq!(wire(Kind::Date, "2026-02-30"), None);
        assert_eq!(wire(Kind::DateTime, "2026-01-02 03:04:05"), some("2026-01-02T03:04:05.000000"));
        assert_eq!(wire(Kind::Json, r#"{"a": [1 ]}"#), some(r#"{"a":[1]}"#));
    }

    #[test]
    fn decimals_are_exact() {
        for (text, expected) in [
            ("0012.500", Some("12.5")),
            ("-0.0", Some("0")),
            ("1.5e3", Some("1500")),
            ("15e-3", Some("0.015")),
            (".5", Some("0.5")),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(decimal(text).as_deref(), expected, "{text}");
        }
        let rising = ["-10", "-9.5", "-9.25", "0", "0.015", "0.5", "9.25", "9.5", "10"];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(decimals(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
