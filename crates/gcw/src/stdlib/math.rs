//! `math.*`: integers give integers, anything with a double gives a double. \[2\]

use super::{Args, Body, Function, required};
use crate::fault::{Answer, Fault};
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "math.abs",
        params: &[required("x")],
        doc: "The distance from zero.",
        examples: &[
            ("math.abs(-3)", "3"),
            ("math.abs(-2.5)", "2.5"),
            ("math.abs(\"3\")", "!TypeError"),
        ],
        body: Body::Pure(|args| match args.value(0) {
            Value::Int(x) => {
                x.checked_abs().map(Value::Int).ok_or_else(|| Fault::of_value("integer overflow"))
            }
            _ => args.number(0).map(|x| Value::Double(x.abs())),
        }),
    },
    Function {
        name: "math.floor",
        params: &[required("x")],
        doc: "The largest integer that is not above the number.",
        examples: &[
            ("math.floor(2.7)", "2.0"),
            ("math.floor(-2.1)", "-3.0"),
            ("math.floor(4)", "4"),
            ("math.floor(true)", "!TypeError"),
        ],
        body: Body::Pure(|args| match args.value(0) {
            Value::Int(x) => Ok(Value::Int(*x)),
            _ => args.number(0).map(|x| Value::Double(x.floor())),
        }),
    },
    Function {
        name: "math.max",
        params: &[required("x"), required("y")],
        doc: "The larger of two numbers.",
        examples: &[("math.max(2, 3)", "3"), ("math.max(2, 1.5)", "2.0")],
        body: Body::Pure(|args| pick(args, i64::max, f64::max)),
    },
    Function {
        name: "math.min",
        params: &[required("x"), required("y")],
        doc: "The smaller of two numbers.",
        examples: &[("math.min(2, 3)", "2"), ("math.min(2, \"1\")", "!TypeError")],
        body: Body::Pure(|args| pick(args, i64::min, f64::min)),
    },
];

fn pick(args: &Args<'_>, int: fn(i64, i64) -> i64, double: fn(f64, f64) -> f64) -> Answer {
    match (args.value(0), args.value(1)) {
        (Value::Int(x), Value::Int(y)) => Ok(Value::Int(int(*x, *y))),
        _ => Ok(Value::Double(double(args.number(0)?, args.number(1)?))),
    }
}
