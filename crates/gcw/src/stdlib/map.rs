//! `map.*`

use std::sync::Arc;

use super::{Args, Body, Function, required};
use crate::fault::{Answer, Fault};
use crate::value::{Map, Value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "map.get",
        params: &[required("map"), required("keys")],
        doc: "The value of a key, or of a list of keys one below the other; null where one is \
              absent or the input is no map. [D]",
        examples: &[
            ("map.get({\"a\": 1}, \"a\")", "1"),
            ("map.get({\"a\": {\"b\": 2}}, [\"a\", \"b\"])", "2"),
            ("map.get({\"a\": 1}, \"x\")", "null"),
            ("map.get(null, \"x\")", "null"),
            ("map.get({\"a\": 1}, [\"a\", \"b\"])", "null"),
            ("map.get({\"a\": 1}, 5)", "!TypeError"),
        ],
        body: Body::Pure(get),
    },
    Function {
        name: "map.delete",
        params: &[required("map"), required("key")],
        doc: "A copy of the map without a key; a key that is absent is a KeyError. [?]",
        examples: &[
            ("map.delete({\"a\": 1, \"b\": 2}, \"a\")", "{\"b\":2}"),
            ("map.delete({\"a\": 1}, \"x\")", "!KeyError"),
            ("map.delete([], \"x\")", "!TypeError"),
        ],
        body: Body::Pure(|args| {
            let (mut map, key) = (args.map(0)?.clone(), args.text(1)?);
            map.remove(key).ok_or_else(|| Fault::missing_key(key))?;
            Ok(map.into())
        }),
    },
    Function {
        name: "map.merge",
        params: &[required("first"), required("second")],
        doc: "A copy of the first map with the entries of the second, which win. [D]",
        examples: &[
            ("map.merge({\"a\": 1, \"b\": 1}, {\"b\": 2})", "{\"a\":1,\"b\":2}"),
            ("map.merge({\"a\": {\"x\": 1}}, {\"a\": {\"y\": 2}})", "{\"a\":{\"y\":2}}"),
            ("map.merge({}, null)", "!TypeError"),
        ],
        body: Body::Pure(|args| {
            let mut map = args.map(0)?.clone();
            for (key, value) in args.map(1)?.iter() {
                map.insert(key.clone(), value.clone());
            }
            Ok(map.into())
        }),
    },
    Function {
        name: "map.merge_nested",
        params: &[required("first"), required("second")],
        doc: "As map.merge, but maps under the same key are merged too. [D]",
        examples: &[(
            "map.merge_nested({\"a\": {\"x\": 1}, \"b\": 1}, {\"a\": {\"y\": 2}})",
            "{\"a\":{\"x\":1,\"y\":2},\"b\":1}",
        )],
        body: Body::Pure(|args| Ok(merge_nested(args.map(0)?, args.map(1)?).into())),
    },
];

fn get(args: &Args<'_>) -> Answer {
    let single;
    let keys: &[Value] = match args.value(1) {
        Value::String(_) => {
            single = [args.value(1).clone()];
            &single
        }
        Value::List(list) => list.items(),
        _ => return Err(args.mistyped(1, "a string or a list of strings")),
    };
    let mut found = args.value(0);
    for key in keys {
        let key = key.as_str().ok_or_else(|| args.mistyped(1, "a string or a list of strings"))?;
        match found.as_map().and_then(|map| map.get(key)) {
            Some(value) => found = value,
            None => return Ok(Value::Null),
        }
    }
    Ok(if keys.is_empty() { Value::Null } else { found.clone() })
}

/// Recursion ends with the values, whose depth is bounded.
fn merge_nested(first: &Map, second: &Map) -> Map {
    let mut merged = first.clone();
    for (key, value) in second.iter() {
        let both = (merged.get(key), value);
        let value = match both {
            (Some(Value::Map(a)), Value::Map(b)) => Value::Map(Arc::new(merge_nested(a, b))),
            _ => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}
