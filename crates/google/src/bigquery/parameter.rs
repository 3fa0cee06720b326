//! The parameters of a query.

use jobmill_model::{Map, Value};

use super::cell::Cell;
use super::schema::{Kind, invalid};
use crate::wire::read::{self, Read};

/// A parameter's value and type; a list has the type of its items.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: Option<String>,
    pub(super) kind: Kind,
    pub(super) cell: Cell,
}

/// Reads `queryParameters`.
pub(super) fn read_parameters(value: Option<&Value>) -> Read<Vec<Parameter>> {
    let parameters = read::list(value, "queryParameters")?;
    parameters.iter().map(|value| parameter(read::object(value, "queryParameters")?)).collect()
}

fn parameter(map: &Map) -> Read<Parameter> {
    let name = read::text_or(map.get("name"), "name")?.filter(|name| !name.is_empty());
    let shown = name.unwrap_or("?");
    let nothing = Value::map::<&str>([]);
    let kind = read::object(map.get("parameterType").unwrap_or(&nothing), "parameterType")?;
    let value = read::object(map.get("parameterValue").unwrap_or(&nothing), "parameterValue")?;
    let type_of = |map: &Map| match read::text_or(map.get("type"), "type")? {
        Some(text) => match Kind::named(text) {
            Some(Kind::Record(_)) | None => {
                Err(invalid(format!("parameter {shown}: the type {text:?} is not supported here")))
            }
            Some(kind) => Ok(kind),
        },
        None => Err(invalid(format!("parameter {shown} has no type"))),
    };
    let scalar = |kind: &Kind, map: &Map| match read::text_or(map.get("value"), "value")? {
        None => Ok(Cell::Null),
        Some(text) => Cell::parse(kind, text).ok_or_else(|| {
            let name = kind.name();
            invalid(format!("parameter {shown}: {text:?} is not a value of type {name}"))
        }),
    };
    let name = name.map(str::to_owned);
    match kind.get("arrayType") {
        Some(item) if *item != Value::Null => {
            let kind = type_of(read::object(item, "arrayType")?)?;
            let items = read::list(value.get("arrayValues"), "arrayValues")?;
            let items = items.iter().map(|item| scalar(&kind, read::object(item, "arrayValues")?));
            let cell = Cell::List(items.collect::<Read<_>>()?);
            Ok(Parameter { name, kind, cell })
        }
        _ => {
            let kind = type_of(kind)?;
            let cell = scalar(&kind, value)?;
            Ok(Parameter { name, kind, cell })
        }
    }
}
