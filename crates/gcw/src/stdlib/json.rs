//! `json.*`. Keys come out sorted, as in the payloads of the real service. \[R\]

use jobmill_model::value as model;

use super::{Args, Body, Function, optional, required};
use crate::fault::{Answer, Fault};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "json.decode",
        params: &[required("data")],
        doc: "The value that JSON text or bytes hold. [D]",
        examples: &[
            ("json.decode(\"{\\\"a\\\": [1, 2.0]}\")", "{\"a\":[1,2.0]}"),
            ("json.decode(text.encode(\"3\"))", "3"),
            ("json.decode(\"{\")", "!ValueError"),
            ("json.decode(5)", "!TypeError"),
        ],
        body: Body::Pure(decode),
    },
    Function {
        name: "json.encode",
        params: &[required("data"), optional("indent")],
        doc: "JSON bytes of a value; `indent` is a boolean or {prefix, indent}. [2]",
        examples: &[
            (
                "text.decode(json.encode({\"b\": 1, \"a\": null}))",
                "\"{\\\"a\\\":null,\\\"b\\\":1}\"",
            ),
            ("json.encode(text.encode(\"x\"))", "!TypeError"),
        ],
        body: Body::Pure(|args| encode(args).map(|text| Value::bytes(text.into_bytes()))),
    },
    Function {
        name: "json.encode_to_string",
        params: &[required("data"), optional("indent")],
        doc: "JSON text of a value; `indent` is a boolean or {prefix, indent}. [2]",
        examples: &[
            ("json.encode_to_string([1, 2.0, \"é\"])", "\"[1,2.0,\\\"é\\\"]\""),
            ("json.encode_to_string([1], true)", "\"[\\n    1\\n]\""),
            (
                "json.encode_to_string({\"a\": {}}, {\"prefix\": \"> \", \"indent\": \"-\"})",
                "\"{\\n> -\\\"a\\\": {}\\n> }\"",
            ),
        ],
        body: Body::Pure(|args| encode(args).map(Value::from)),
    },
];

fn decode(args: &Args<'_>) -> Answer {
    let bytes = match args.value(0) {
        Value::String(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
        _ => return Err(args.mistyped(0, "a string or bytes")),
    };
    match model::Value::from_json(bytes) {
        Ok(value) => Ok(Value::from(&value)),
        Err(error) => Err(args.invalid(0, error)),
    }
}

struct Layout<'a> {
    prefix: &'a str,
    indent: &'a str,
}

fn encode(args: &Args<'_>) -> Answer<String> {
    let layout = layout(args)?;
    let value = args
        .value(0)
        .to_json()
        .map_err(|why| Fault::of_type(format!("{} cannot be encoded as JSON", why.0)))?;
    let Some(layout) = layout else { return Ok(value.to_string()) };
    let mut out = String::new();
    write(&value, 0, &layout, args.context.limits.string_bytes as usize, &mut out);
    Ok(out)
}

fn layout<'a>(args: &Args<'a>) -> Answer<Option<Layout<'a>>> {
    match args.given(1) {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => Ok(Some(Layout { prefix: "", indent: "    " })),
        Some(Value::Map(map)) => {
            let part = |key, default| match map.get(key) {
                None | Some(Value::Null) => Ok(default),
                Some(Value::String(text)) if text.len() <= 64 => Ok(&**text),
                Some(Value::String(_)) => Err(args.invalid(1, "longer than 64 characters")),
                Some(_) => Err(args.mistyped(1, "a boolean or a map of strings")),
            };
            Ok(Some(Layout { prefix: part("prefix", "")?, indent: part("indent", "    ")? }))
        }
        Some(_) => Err(args.mistyped(1, "a boolean or a map")),
    }
}

/// Stops when the text is over its limit; the caller's check then refuses it.
fn write(value: &model::Value, depth: usize, layout: &Layout<'_>, most: usize, out: &mut String) {
    if out.len() > most {
        return;
    }
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(layout.prefix);
        (0..depth).for_each(|_| out.push_str(layout.indent));
    };
    match value {
        model::Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                line(out, depth + 1);
                write(item, depth + 1, layout, most, out);
            }
            line(out, depth);
            out.push(']');
        }
        model::Value::Map(map) if !map.is_empty() => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                line(out, depth + 1);
                out.push_str(&model::Value::String(key.clone()).to_string());
                out.push_str(": ");
                write(item, depth + 1, layout, most, out);
            }
            line(out, depth);
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}
