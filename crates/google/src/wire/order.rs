//! `orderBy`: fields with commas between them, each `asc` or `desc` (AIP-132).

use std::cmp::Ordering;

use super::Error;
use super::field::{self, Field, Kind, Record};

/// The most fields of one order.
const FIELDS: usize = 16;

/// How a list is ordered; empty for the usual order of the list.
#[derive(Debug, Clone, Default)]
pub struct Order(Vec<(&'static Field, bool)>);

impl Order {
    /// Reads an order.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: an unknown field, or anything but `asc` and `desc` after one.
    pub fn read(text: &str, schema: &'static [Field]) -> Result<Self, Error> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let terms: Vec<&str> = text.split(',').collect();
        if terms.len() > FIELDS {
            return Err(Error::invalid(format!("invalid order_by: at most {FIELDS} fields")));
        }
        terms.into_iter().map(|term| one(term, schema)).collect::<Result<_, _>>().map(Self)
    }

    /// The first field that it orders by, and whether downwards.
    #[must_use]
    pub fn first(&self) -> Option<(&'static str, bool)> {
        self.0.first().map(|(field, down)| (field.name, *down))
    }

    /// How two records compare.
    #[must_use]
    pub fn compare(&self, one: &dyn Record, two: &dyn Record) -> Ordering {
        let by = |(field, down): &(&'static Field, bool)| {
            let order = one.datum(field.name).order(&two.datum(field.name));
            if *down { order.reverse() } else { order }
        };
        self.0.iter().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn one(term: &str, schema: &'static [Field]) -> Result<(&'static Field, bool), Error> {
    let mut words = term.split_whitespace();
    let (name, direction, rest) = (words.next(), words.next(), words.next());
    let field = name.and_then(|name| field::find(schema, name));
    let down = match direction {
        None | Some("asc") => Some(false),
        Some("desc") => Some(true),
        Some(_) => None,
    };
    match (field, down, rest) {
        (Some(field), Some(down), None) if !matches!(field.kind, Kind::Texts) => Ok((field, down)),
        (None, _, _) => Err(Error::invalid(format!(
            "invalid order_by: unknown field {:?}; known are {}",
            name.unwrap_or_default(),
            field::names(schema)
        ))),
        _ => Err(Error::invalid(format!(
            "invalid order_by {:?}: expected a field, perhaps with `asc` or `desc` after it",
            term.trim()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::Datum;
    use super::*;

    const SCHEMA: &[Field] =
        &[Field { name: "step", kind: Kind::Text }, Field { name: "entryId", kind: Kind::Number }];

    struct Row(&'static str, i64);

    impl Record for Row {
        fn datum(&self, field: &str) -> Datum<'_> {
            if field == "step" { self.0.into() } else { Datum::Number(self.1) }
        }
    }

    #[test]
    fn records_are_ordered_by_one_field_after_the_other() {
        let order = Order::read("step desc, entry_id", SCHEMA).unwrap();
        let mut rows = [Row("a", 1), Row("b", 3), Row("b", 2)];
        rows.sort_by(|one, two| order.compare(one, two));
        assert_eq!(rows.map(|row| row.1), [2, 3, 1]);
        assert_eq!(order.first(), Some(("step", true)));
        assert!(Order::read(" ", SCHEMA).unwrap().first().is_none());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["name", "step down", "step asc desc", "step,", ",", "step entryId"] {
            assert!(Order::read(text, SCHEMA).is_err(), "{text}");
        }
    }
}
