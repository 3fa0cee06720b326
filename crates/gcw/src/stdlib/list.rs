//! `list.*`

use super::{Body, Function, required};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "list.concat",
        params: &[required("objs"), required("val")],
        doc: "A copy of the list with one element added at its end; a list is not flattened. [D]",
        examples: &[
            ("list.concat([1, 2], 3)", "[1,2,3]"),
            ("list.concat([1], [2, 3])", "[1,[2,3]]"),
            ("list.concat({}, 1)", "!TypeError"),
        ],
        body: Body::Pure(|args| {
            let mut list = args.list(0)?.clone();
            list.push(args.value(1).clone());
            Ok(list.into())
        }),
    },
    Function {
        name: "list.prepend",
        params: &[required("objs"), required("val")],
        doc: "A copy of the list with one element added at its start. [D]",
        examples: &[("list.prepend([1, 2], 0)", "[0,1,2]"), ("list.prepend(1, 0)", "!TypeError")],
        body: Body::Pure(|args| {
            let rest = args.list(0)?.items();
            let mut items = Vec::with_capacity(rest.len() + 1);
            items.push(args.value(1).clone());
            items.extend_from_slice(rest);
            Ok(Value::list(items))
        }),
    },
];
