//! The JSON Schemas of the flows that come with the house.

use jobmill_model::fault::pointer_below;
use jobmill_model::{Map, Problem, Value};

use jobmill_model::suggest::hint;

/// Reads a schema that is part of the program.
pub(crate) fn read(text: &str) -> Value {
    Value::from_json(text.as_bytes()).expect("the schemas of the house are JSON")
}

/// The schema of a flow without params.
pub(crate) fn no_params() -> Value {
    read(include_str!("../schemas/no_params.json"))
}

/// A whole number as JSON Schema understands it, so that `2.0` is one.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Double(double) if double.fract() == 0.0 => Some(*double as i64),
        _ => None,
    }
}

/// Refuses params where a flow has none.
pub(crate) fn check_no_params(params: &Value) -> Vec<Problem> {
    match params {
        Value::Null => Vec::new(),
        Value::Map(params) => {
            let unknown = params.keys().map(|name| {
                let pointer = pointer_below("/params", name);
                Problem::new(pointer, "this flow has no params")
            });
            unknown.collect()
        }
        other => {
            let message = format!("expected an object, not {}", other.kind());
            vec![Problem::new("/params", message)]
        }
    }
}

/// Refuses fields of an input that are not among `known`; `near` are words that may have been
/// meant.
pub(crate) fn check_fields(input: &Map, known: &[&str], near: &[&str]) -> Vec<Problem> {
    let unknown = input.keys().filter(|name| !known.contains(&&***name)).map(|name| {
        let hint = hint(name, known.iter().chain(near).copied());
        let pointer = pointer_below("/input", name);
        Problem::new(pointer, format!("this flow has no such field{hint}"))
    });
    unknown.collect()
}
