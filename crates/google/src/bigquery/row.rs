//! Rows: checked against the schema when they are inserted, kept, answered.

use jobmill_model::{Json, Value};

use super::cell::{Cell, Instants, Misfit, insert_record, wire_row};
use super::schema::{Column, Schema};
use crate::limits::{INSERT_ID_BYTES, INSERT_ROWS, ROW_BYTES};
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// A row: a cell for each column.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Cell>);

/// Why a row was not inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the request, from 0.
    pub index: usize,
    /// `invalid` or `stopped`.
    pub reason: &'static str,
    /// The field that is wrong.
    pub location: String,
    /// What is wrong.
    pub message: String,
}

/// The rows that are not inserted, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowErrors(pub Vec<Refused>);

/// A row that fits, with the sender's id for it.
pub type Fitting = (Option<String>, Json);

impl Row {
    /// The row of a text that was kept.
    #[must_use]
    pub fn from_kept(schema: &Schema, content: &Json) -> Self {
        let value = content.to_value().unwrap_or_default();
        let items = value.as_list().unwrap_or_default();
        let cell = |(place, column): (usize, &Column)| {
            Cell::from_kept(column, items.get(place).unwrap_or(&Value::Null))
        };
        Self(schema.columns.iter().enumerate().map(cell).collect())
    }

    /// The text to keep.
    #[must_use]
    pub fn kept(&self) -> Json {
        Value::list(self.0.iter().map(Cell::kept)).to_json()
    }

    /// The row as it is answered.
    #[must_use]
    pub fn to_value(&self, instants: Instants) -> Value {
        wire_row(&self.0, instants)
    }
}

/// Reads the body of `tabledata.insertAll`: the rows to insert, and the errors of the others. A
/// row that is wrong stops the others, unless the body says otherwise.
///
/// # Errors
/// A body that is none, or that is too large.
pub fn check_rows(schema: &Schema, body: &Value) -> Read<(Vec<Fitting>, RowErrors)> {
    let body = read::object(body, "body")?;
    let rows = read::list(body.get("rows"), "rows")?;
    if rows.is_empty() {
        return Err(super::schema::invalid("No rows present in the request.".to_owned()));
    }
    if rows.len() > INSERT_ROWS {
        let text = format!(
            "too many rows present in the request: {}; limit: {INSERT_ROWS} rows",
            rows.len()
        );
        return Err(super::schema::invalid(text));
    }
    if body.get("templateSuffix").is_some_and(|suffix| *suffix != Value::Null) {
        return Err(Error::unimplemented("templateSuffix is not supported here"));
    }
    let lax = read::flag(body.get("ignoreUnknownValues"), "ignoreUnknownValues")?;
    let skip = read::flag(body.get("skipInvalidRows"), "skipInvalidRows")?;
    let mut fitting = Vec::with_capacity(rows.len());
    let mut errors = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let row = read::object(row, "rows")?;
        let id = read::text_or(row.get("insertId"), "insertId")?.filter(|id| !id.is_empty());
        let checked = match id {
            Some(id) if id.len() > INSERT_ID_BYTES => {
                let text = format!("insertId is longer than {INSERT_ID_BYTES} bytes");
                Err((String::new(), text))
            }
            _ => check_row(schema, row.get("json"), lax),
        };
        match checked {
            Ok(content) => fitting.push((index, (id.map(str::to_owned), content))),
            Err((location, message)) => {
                errors.push(Refused { index, reason: "invalid", location, message });
            }
        }
    }
    if !errors.is_empty() && !skip {
        let stopped = fitting.drain(..).map(|(index, _)| Refused {
            index,
            reason: "stopped",
            location: String::new(),
            message: String::new(),
        });
        errors.extend(stopped);
        errors.sort_by_key(|error| error.index);
    }
    Ok((fitting.into_iter().map(|(_, row)| row).collect(), RowErrors(errors)))
}

fn check_row(schema: &Schema, row: Option<&Value>, lax: bool) -> Result<Json, Misfit> {
    let Some(Value::Map(map)) = row else {
        return Err((String::new(), "a row has its values under `json`".to_owned()));
    };
    let content = Row(insert_record(schema, map, lax)?).kept();
    match content.as_str().len() <= ROW_BYTES {
        true => Ok(content),
        false => Err((String::new(), format!("a row is at most {ROW_BYTES} bytes large"))),
    }
}

impl RowErrors {
    /// The answer to `tabledata.insertAll`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut answer = vec![("kind", Value::from("bigquery#tableDataInsertAllResponse"))];
        if !self.0.is_empty() {
            let error = |error: &Refused| {
                let one = Value::map([
                    ("reason", error.reason.into()),
                    ("location", error.location.as_str().into()),
                    ("debugInfo", "".into()),
                    ("message", error.message.as_str().into()),
                ]);
                Value::map([("index", error.index.into()), ("errors", Value::list([one]))])
            };
            answer.push(("insertErrors", Value::list(self.0.iter().map(error))));
        }
        Value::map(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let text = r#"{"fields":[{"name":"name","type":"STRING","mode":"REQUIRED"},
            {"name":"n","type":"INTEGER"},{"name":"tags","type":"STRING","mode":"REPEATED"},
            {"name":"r","type":"RECORD","fields":[{"name":"b","type":"BOOLEAN"}]},
            {"name":"at","type":"TIMESTAMP"}]}"#;
        Schema::read(Some(&Value::from_json(text.as_bytes()).unwrap())).unwrap()
    }

    fn check(body: &str) -> (Vec<Fitting>, String) {
        let body = Value::from_json(body.as_bytes()).unwrap();
        let (rows, errors) = check_rows(&schema(), &body).unwrap();
        (rows, errors.to_value().to_string())
    }

    #[test]
    fn a_row_is_kept_and_answered() {
        let (rows, errors) = check(
            r#"{"rows":[{"insertId":"i","json":{"N":"5","name":"x","tags":["a","b"],
            "r":{"b":true},"at":"2026-01-02T03:04:05.5Z"}},{"json":{"name":"y"}}]}"#,
        );
        assert_eq!(errors, r#"{"kind":"bigquery#tableDataInsertAllResponse"}"#);
        assert_eq!(rows[0].0.as_deref(), Some("i"));
        let text = rows[0].1.as_str();
        assert_eq!(text, r#"["x",5,["a","b"],[true],1767323045500000]"#);
        let answer =
            |row: &Json| Row::from_kept(&schema(), row).to_value(Instants::Micros).to_string();
        assert_eq!(
            answer(&rows[0].1),
            concat!(
                r#"{"f":[{"v":"x"},{"v":"5"},{"v":[{"v":"a"},{"v":"b"}]},"#,
                r#"{"v":{"f":[{"v":"true"}]}},{"v":"1767323045500000"}]}"#
            )
        );
        let expected = r#"{"f":[{"v":"y"},{"v":null},{"v":[]},{"v":null},{"v":null}]}"#;
        assert_eq!(answer(&rows[1].1), expected);
    }

    #[test]
    fn a_wrong_row_stops_the_others_unless_they_are_to_go_on() {
        let rows = r#""rows":[{"json":{"name":"x"}},{"json":{"name":"y","n":"many"}}]"#;
        let (fitting, errors) = check(&format!("{{{rows}}}"));
        assert!(fitting.is_empty());
        assert!(errors.contains(r#"{"index":0,"errors":[{"reason":"stopped""#), "{errors}");
        let message = r#"Cannot convert value to integer (bad value): \"many\""#;
        assert!(errors.contains(message), "{errors}");
        let (fitting, errors) = check(&format!(r#"{{{rows},"skipInvalidRows":true}}"#));
        assert_eq!(fitting.len(), 1);
        assert!(!errors.contains("stopped"), "{errors}");
    }

    #[test]
    fn every_misfit_names_its_field() {
        for (row, location, message) in [
            ("{}", "name", "Missing required field: name."),
            (r#"{"name":"x","extra":1}"#, "extra", "no such field: extra."),
            (r#"{"name":"x","n":[1]}"#, "n", "Array specified for non-repeated field."),
            (r#"{"name":"x","r":{"b":"maybe"}}"#, "r", "Cannot convert value to boolean"),
            (r#"{"name":"x","r":5}"#, "r", "This field is a record."),
            (r#"{"name":"x","at":true}"#, "at", "Cannot convert value to timestamp"),
        ] {
            let (_, errors) = check(&format!(r#"{{"rows":[{{"json":{row}}}]}}"#));
            assert!(errors.contains(&format!(r#""location":"{location}"#)), "{errors}");
            assert!(errors.contains(message), "{errors}");
        }
        let body = r#"{"rows":[{"json":{"name":"x","extra":1}}],"ignoreUnknownValues":true}"#;
        assert_eq!(check(body).0.len(), 1);
    }
}
