//! Functions without an area: conversions, `default`, `if`, `get_type`, `keys`, `len`.

use super::{Args, Body, Function, optional, required};
use crate::expr::eval::is_true;
use crate::fault::{Answer, Fault};
use crate::value::{Value, whole};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "default",
        params: &[required("val"), required("defaultVal")],
        doc: "The value, or the other one where it is null. [D]",
        examples: &[("default(null, 1)", "1"), ("default(false, 1)", "false")],
        body: Body::Pure(|args| Ok(args.given(0).unwrap_or_else(|| args.value(1)).clone())),
    },
    Function {
        name: "if",
        params: &[required("condition"), required("ifTrue"), optional("ifFalse")],
        doc: "The second value where the condition is true, the third where false or null. [D]",
        examples: &[
            ("if(1 < 2, \"a\", \"b\")", "\"a\""),
            ("if(null, 1, 2)", "2"),
            ("if(\"x\", 1, 2)", "!TypeError"),
        ],
        body: Body::Pure(|args| {
            Ok(args.value(if is_true(args.value(0))? { 1 } else { 2 }).clone())
        }),
    },
    Function {
        name: "get_type",
        params: &[required("arg")],
        doc: "The name of a value's type. [2]",
        examples: &[
            ("get_type(1)", "\"integer\""),
            ("get_type(1.0)", "\"double\""),
            ("get_type(\"\")", "\"string\""),
            ("get_type(true)", "\"boolean\""),
            ("get_type(null)", "\"null\""),
            ("get_type([])", "\"list\""),
            ("get_type({})", "\"map\""),
            ("get_type(text.encode(\"\"))", "\"bytes\""),
        ],
        body: Body::Pure(|args| Ok(args.value(0).type_name().into())),
    },
    Function {
        name: "int",
        params: &[required("x")],
        doc: "An integer from a string or a double, which is cut towards zero. [S]",
        examples: &[
            ("int(2.7)", "2"),
            ("int(-2.7)", "-2"),
            ("int(\"42\")", "42"),
            ("int(7)", "7"),
            ("int(\"x\")", "!ValueError"),
            ("int(1e300)", "!ValueError"),
            ("int(null)", "!TypeError"),
        ],
        body: Body::Pure(int),
    },
    Function {
        name: "double",
        params: &[required("x")],
        doc: "A double from a string or an integer. [S]",
        examples: &[
            ("double(\"2.7\")", "2.7"),
            ("double(2)", "2.0"),
            ("double(\"two\")", "!ValueError"),
            ("double(true)", "!TypeError"),
        ],
        body: Body::Pure(double),
    },
    Function {
        name: "string",
        params: &[required("x")],
        doc: "The text of a number, a boolean or a string. [R]",
        examples: &[
            ("string(1.7)", "\"1.7\""),
            ("string(12)", "\"12\""),
            ("string(true)", "\"true\""),
            ("string(\"a\")", "\"a\""),
            ("string({})", "!TypeError"),
        ],
        body: Body::Pure(string),
    },
    Function {
        name: "keys",
        params: &[required("map")],
        doc: "The keys of a map as a list of strings. [S]",
        examples: &[("keys({\"b\": 1, \"a\": 2})", "[\"b\",\"a\"]"), ("keys([])", "!TypeError")],
        body: Body::Pure(|args| {
            let keys = args.map(0)?.iter().map(|(key, _)| Value::String(key.clone()));
            Ok(Value::list(keys.collect()))
        }),
    },
    Function {
        name: "len",
        params: &[required("value")],
        doc: "How many items, entries or characters a list, map or string has. [D]",
        examples: &[
            ("len([1, 2])", "2"),
            ("len({\"a\": 1})", "1"),
            ("len(\"héé\")", "3"),
            ("len(5)", "!TypeError"),
        ],
        body: Body::Pure(len),
    },
];

fn int(args: &Args<'_>) -> Answer {
    match args.value(0) {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Double(number) => whole(number.trunc())
            .map(Value::Int)
            .ok_or_else(|| Fault::of_value(format!("{number} does not fit an integer"))),
        Value::String(text) => text.trim().parse().map(Value::Int).map_err(|_| {
            Fault::of_value(format!("invalid literal for int(): {:?}", shorten(text)))
        }),
        _ => Err(unsupported(args, "int", "number or string")),
    }
}

fn double(args: &Args<'_>) -> Answer {
    match args.value(0) {
        Value::Int(number) => Ok(Value::Double(*number as f64)),
        Value::Double(number) => Ok(Value::Double(*number)),
        Value::String(text) => {
            let is_number = text.bytes().any(|byte| byte.is_ascii_digit());
            match text.trim().parse::<f64>() {
                Ok(number) if is_number && number.is_finite() => Ok(Value::Double(number)),
                _ => Err(Fault::of_value(format!(
                    "invalid literal for double(): {:?}",
                    shorten(text)
                ))),
            }
        }
        _ => Err(unsupported(args, "double", "number or string")),
    }
}

fn string(args: &Args<'_>) -> Answer {
    args.value(0)
        .scalar_text()
        .map(Value::String)
        .ok_or_else(|| unsupported(args, "string", "number, string, or boolean"))
}

fn len(args: &Args<'_>) -> Answer {
    let len = match args.value(0) {
        Value::List(list) => list.items().len(),
        Value::Map(map) => map.len(),
        Value::String(text) => text.chars().count(),
        _ => return Err(unsupported(args, "len", "list, map, or string")),
    };
    Ok(Value::Int(len as i64))
}

/// The wording of the real service. \[R\]
fn unsupported(args: &Args<'_>, function: &str, expecting: &str) -> Box<Fault> {
    Fault::of_type(format!(
        "unsupported operand type for {function}(): '{}' (expecting {expecting})",
        args.value(0).message_name()
    ))
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}
