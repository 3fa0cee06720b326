//! In which order a query answers, and between which places.

use std::cmp::Ordering;

use jobmill_model::Value;

use super::filter::{Filter, field_path};
use crate::firestore::document::Document;
use crate::firestore::name::DocumentName;
use crate::firestore::path::FieldPath;
use crate::firestore::value::Field;
use crate::wire::Error;
use crate::wire::read::{self, Read};

/// By which field, and whether the largest comes first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    path: FieldPath,
    falls: bool,
}

/// A place in the order: the values of the first fields that it is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cursor {
    values: Vec<Field>,
    before: bool,
}

const DIRECTIONS: [(&str, i64, bool); 3] =
    [("DIRECTION_UNSPECIFIED", 0, false), ("ASCENDING", 1, false), ("DESCENDING", 2, true)];

/// The order that is asked for, then the fields that are compared, then the name.
pub(super) fn orders(value: Option<&Value>, filter: Option<&Filter>) -> Read<Vec<Order>> {
    let mut orders = Vec::new();
    for value in read::list(value, "orderBy")? {
        let map = read::object(value, "orderBy")?;
        let path = field_path(map.get("field").unwrap_or(&Value::Null))?;
        let falls = match map.get("direction") {
            None => false,
            Some(direction) => read::choice(direction, &DIRECTIONS, "direction")?,
        };
        if orders.iter().any(|order: &Order| order.path == path) {
            return Err(Error::invalid(format!("orderBy names the field {path} twice")));
        }
        orders.push(Order { path, falls });
    }
    let falls = orders.last().is_some_and(|order| order.falls);
    let mut compared = Vec::new();
    filter.into_iter().for_each(|filter| filter.inequalities(&mut compared));
    compared.sort();
    let name = FieldPath::read("__name__")?;
    for path in compared.into_iter().chain([&name]) {
        if !orders.iter().any(|order| order.path == *path) {
            orders.push(Order { path: path.clone(), falls });
        }
    }
    Ok(orders)
}

/// The order of a list: fields with `asc` or `desc` behind them, then the name.
pub(super) fn listed(text: &str) -> Read<Vec<Order>> {
    let order = |text: &str| -> Value {
        let (path, falls) = match text.trim().rsplit_once(' ') {
            Some((path, direction)) if direction.eq_ignore_ascii_case("desc") => (path, true),
            Some((path, direction)) if direction.eq_ignore_ascii_case("asc") => (path, false),
            _ => (text, false),
        };
        let path = Value::map([("fieldPath", Value::from(path.trim()))]);
        let direction = if falls { "DESCENDING" } else { "ASCENDING" };
        Value::map([("field", path), ("direction", direction.into())])
    };
    let parts = text.split(',').filter(|part| !part.trim().is_empty());
    orders(Some(&Value::list(parts.map(order))), None)
}

impl Order {
    /// Whether this is the order in which documents are kept.
    pub(super) fn is_of_names(&self) -> bool {
        self.path.is_name() && !self.falls
    }

    /// Whether a document has the field; one that has not is not found.
    pub(super) fn has(&self, document: &Document) -> bool {
        self.path.is_name() || self.path.get(&document.fields).is_some()
    }

    pub(super) fn compare(
        &self,
        (name, document): (&DocumentName, &Document),
        (other_name, other): (&DocumentName, &Document),
    ) -> Ordering {
        let order = match self.path.is_name() {
            true => name_order(name, other_name),
            false => {
                let fields = (self.path.get(&document.fields), self.path.get(&other.fields));
                match fields {
                    (Some(a), Some(b)) => a.order(b),
                    (a, b) => a.is_some().cmp(&b.is_some()),
                }
            }
        };
        self.turned(order)
    }

    fn turned(&self, order: Ordering) -> Ordering {
        if self.falls { order.reverse() } else { order }
    }

    fn against(&self, name: &DocumentName, document: &Document, value: &Field) -> Ordering {
        let order = match self.path.is_name() {
            true => Field::Reference(name.to_string()).order(value),
            false => self.path.get(&document.fields).unwrap_or(&Field::Null).order(value),
        };
        self.turned(order)
    }
}

/// Piece by piece, so that what is below a document follows it.
fn name_order(a: &DocumentName, b: &DocumentName) -> Ordering {
    if a.parent == b.parent {
        return (&a.collection, &a.id).cmp(&(&b.collection, &b.id));
    }
    a.to_string().split('/').cmp(b.to_string().split('/'))
}

impl Cursor {
    pub(super) fn read(value: Option<&Value>, what: &str, orders: &[Order]) -> Read<Option<Self>> {
        let map = match value {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => read::object(value, what)?,
        };
        let values = read::list(map.get("values"), "values")?;
        if values.len() > orders.len() {
            let text = format!("{what} has more values than the query has fields in its order");
            return Err(Error::invalid(text));
        }
        let values = values.iter().map(Field::read).collect::<Read<_>>()?;
        Ok(Some(Self { values, before: read::flag(map.get("before"), "before")? }))
    }

    fn order(&self, orders: &[Order], name: &DocumentName, document: &Document) -> Ordering {
        let pairs = orders.iter().zip(&self.values);
        let mut compared = pairs.map(|(order, value)| order.against(name, document, value));
        compared.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Whether a document is at or behind the start.
    pub(super) fn begins(&self, orders: &[Order], name: &DocumentName, of: &Document) -> bool {
        let order = self.order(orders, name, of);
        if self.before { order.is_ge() } else { order.is_gt() }
    }

    /// Whether a document is at or before the end.
    pub(super) fn ends(&self, orders: &[Order], name: &DocumentName, of: &Document) -> bool {
        let order = self.order(orders, name, of);
        if self.before { order.is_lt() } else { order.is_le() }
    }
}
