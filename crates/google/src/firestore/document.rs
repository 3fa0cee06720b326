//! A document: its fields and its two times; as it is answered and as it is kept.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time, date};
use jiff::fmt::temporal::Pieces;
use jobmill_model::{Json, Value};

use super::name::DocumentName;
use super::path::FieldPath;
use super::value::{Field, Fields};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// An instant in microseconds since 1970, which is how exactly documents are dated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

const EPOCH: Date = date(1970, 1, 1);
const SECOND_MICROS: i64 = 1_000_000;

impl Micros {
    /// Reads RFC 3339, from the year 1 to the last moment of the year 9999, which stands for
    /// "never".
    ///
    /// # Errors
    /// Anything else.
    pub fn read(text: &str) -> Read<Self> {
        let bad = || Error::invalid(format!("not a timestamp in RFC 3339: {text:?}"));
        let pieces = Pieces::parse(text).map_err(|_| bad())?;
        let (Some(time), Some(offset)) = (pieces.time(), pieces.to_numeric_offset()) else {
            return Err(bad());
        };
        let civil = pieces.date().to_datetime(time);
        let days = civil.date().since(EPOCH).map_err(|_| bad())?.get_days();
        let time = civil.time().duration_since(Time::midnight()).as_micros();
        let micros = i64::from(days) * 86_400 * SECOND_MICROS
            + i64::try_from(time).map_err(|_| bad())?
            - i64::from(offset.seconds()) * SECOND_MICROS;
        Self(micros).civil().map(|_| Self(micros)).ok_or_else(bad)
    }

    /// The date and the time of day in Greenwich, if the year has at most four digits.
    fn civil(self) -> Option<DateTime> {
        let (seconds, micros) =
            (self.0.div_euclid(SECOND_MICROS), self.0.rem_euclid(SECOND_MICROS));
        let span = SignedDuration::new(seconds, i32::try_from(micros * 1_000).ok()?);
        let civil = EPOCH.to_datetime(Time::midnight()).checked_add(span).ok()?;
        (1..=9999).contains(&civil.year()).then_some(civil)
    }

    /// RFC 3339 with no, three or six digits behind the second, as Google writes it.
    #[must_use]
    pub fn to_text(self) -> String {
        let civil = self.civil().unwrap_or(DateTime::MAX);
        match self.0.rem_euclid(SECOND_MICROS) {
            0 => format!("{civil:.0}Z"),
            micros if micros % 1_000 == 0 => format!("{civil:.3}Z"),
            _ => format!("{civil:.6}Z"),
        }
    }

    /// RFC 3339 with microseconds.
    #[must_use]
    pub fn to_value(self) -> Value {
        format!("{:.6}Z", self.civil().unwrap_or(DateTime::MAX)).into()
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
        Ok(Self { fields: Field::kept_fields(Some(&value))?, created, updated })
    }

    /// The answer; of its fields only those under the mask, if there is one.
    #[must_use]
    pub fn to_value(&self, name: &DocumentName, mask: Option<&[FieldPath]>) -> Value {
        let mut masked = Fields::new();
        for path in mask.unwrap_or_default() {
            if let Some(field) = path.get(&self.fields) {
                path.set(&mut masked, field.clone());
            }
        }
        let shown = if mask.is_some() { &masked } else { &self.fields };
        let entries = [
            Some(("name", name.to_string().into())),
            (!shown.is_empty()).then(|| ("fields", Field::fields_value(shown))),
            Some(("createTime", self.created.to_value())),
            Some(("updateTime", self.updated.to_value())),
        ];
        Value::map(entries.into_iter().flatten())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_three_or_six_digits_or_none() {
        for (text, written) in [
            ("2024-05-08T15:22:58.120062999+02:00", "2024-05-08T13:22:58.120062Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Micros::read(text).unwrap().to_text(), written);
        }
        for text in ["2024-05-08T13:22:58", "2024-05-08", "now", "9999-12-31T23:59:59-01:00"] {
            assert!(Micros::read(text).is_err(), "{text}");
        }
    }
}
