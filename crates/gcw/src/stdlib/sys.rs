//! `sys.*`

use super::{Args, Body, EffectKind, Function, optional, required};
use crate::fault::Answer;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "sys.get_env",
        params: &[required("name"), optional("default")],
        doc: "A built-in or user variable; the default, or null, where there is none. [?]",
        examples: &[
            ("sys.get_env(\"GOOGLE_CLOUD_LOCATION\")", "\"local\""),
            ("sys.get_env(\"NOT_THERE\", \"x\")", "\"x\""),
            ("sys.get_env(\"NOT_THERE\")", "null"),
            ("sys.get_env(1)", "!TypeError"),
        ],
        body: Body::Pure(get_env),
    },
    Function {
        name: "sys.log",
        params: &[
            optional("data"),
            optional("severity"),
            optional("text"),
            optional("json"),
            optional("timeout"),
        ],
        doc: "Writes a log entry; exactly one of data, text and json is given. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::Log),
    },
    Function {
        name: "sys.now",
        params: &[],
        doc: "Seconds since 1970 as a double, the same again when the journal is folded again. [D]",
        examples: &[],
        body: Body::Clock,
    },
    Function {
        name: "sys.sleep",
        params: &[required("seconds")],
        doc: "Waits for so many seconds, a year at most. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::Sleep),
    },
    Function {
        name: "sys.sleep_until",
        params: &[required("time")],
        doc: "Waits until an instant in ISO 8601, a year from now at most. [D]",
        examples: &[],
        body: Body::Effect(EffectKind::SleepUntil),
    },
];

fn get_env(args: &Args<'_>) -> Answer {
    let (name, context) = (args.text(0)?, args.context);
    let found = context.own_env.get(name).or_else(|| context.env.get(name));
    Ok(found.unwrap_or_else(|| args.value(1)).clone())
}
