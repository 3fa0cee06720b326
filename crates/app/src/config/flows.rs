//! Flows for workers outside that the configuration file declares: `[flows.NAME]`.

use jobmill_model::fault::pointer_below;
use jobmill_model::queue::Name;
use jobmill_model::{Declaration, Map, Problem, Schema, Value};
use toml::de::DeValue;

use crate::wire::flow;

/// Reads the table `flows`; every problem comes with the place in the text that it is about.
pub(super) fn read(
    table: &DeValue<'_>,
    problems: &mut Vec<(usize, String)>,
    at: usize,
) -> Vec<Declaration> {
    let DeValue::Table(flows) = table else {
        problems.push((at, "`flows` takes tables, such as [flows.mail]".to_owned()));
        return Vec::new();
    };
    let mut declared = Vec::new();
    for (key, body) in flows {
        let at = key.span().start;
        let mut wrong = Vec::new();
        match Name::new(key.get_ref()) {
            Ok(name) => declared.push(one(body.get_ref(), name, &mut wrong)),
            Err(error) => wrong.push(Problem::new("", error.to_string())),
        }
        let place = |problem: &Problem| {
            format!("/flows{}", pointer_below("", key.get_ref())) + &problem.pointer
        };
        problems.extend(wrong.iter().map(|it| (at, format!("{}: {}", place(it), it.message))));
    }
    declared
}

fn one(body: &DeValue<'_>, name: Name, problems: &mut Vec<Problem>) -> Declaration {
    let declaration = flow::read(&value(body), name, problems);
    for (schema, pointer) in [
        (&declaration.input_schema, "/input_schema"),
        (&declaration.params_schema, "/params_schema"),
    ] {
        let read = Schema::read(&schema.to_value().unwrap_or_default(), pointer);
        problems.extend(read.err().unwrap_or_default());
    }
    declaration
}

/// A value of the file as JSON; a time is its text.
fn value(value: &DeValue<'_>) -> Value {
    let number = |text: &str| Value::from_json(text.replace('_', "").as_bytes()).ok();
    match value {
        DeValue::String(text) => Value::from(&**text),
        DeValue::Integer(whole) => {
            let text = whole.to_string();
            number(&text).unwrap_or_else(|| Value::from(text))
        }
        DeValue::Float(float) => {
            let text = float.to_string();
            number(&text).unwrap_or_else(|| Value::from(text))
        }
        DeValue::Boolean(is) => Value::Bool(*is),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => Value::list(items.iter().map(|it| self::value(it.get_ref()))),
        DeValue::Table(table) => {
            let entry = |(key, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                (AsRef::<str>::as_ref(key.get_ref()).to_owned(), self::value(value.get_ref()))
            };
            Value::from(table.iter().map(entry).collect::<Map>())
        }
    }
}
