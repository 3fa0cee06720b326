//! `retry.*`, and the predicates and policies that `http.*` offers.

use super::{Args, Body, Function, required};
use crate::fault::Answer;
use crate::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "retry.always",
        params: &[required("e")],
        doc: "A predicate that says yes to every error. [D]",
        examples: &[("retry.always(null)", "true")],
        body: Body::Pure(|_| Ok(Value::Bool(true))),
    },
    Function {
        name: "retry.never",
        params: &[required("e")],
        doc: "A predicate that says no to every error. [D]",
        examples: &[("retry.never(null)", "false")],
        body: Body::Pure(|_| Ok(Value::Bool(false))),
    },
];

/// The name of the backoff that may be used as a value.
pub const DEFAULT_BACKOFF: &str = "retry.default_backoff";

/// 1 s at first, 60 s at most, times 1.25. \[D\]
#[must_use]
pub fn default_backoff() -> Value {
    Value::map([
        ("initial_delay", Value::Double(1.0)),
        ("max_delay", Value::Double(60.0)),
        ("multiplier", Value::Double(1.25)),
    ])
}

/// A ready-made policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: &'static str,
    /// The function that says whether an error is worth another try.
    pub predicate: &'static str,
    /// Tries after the first.
    pub max_retries: i64,
    /// Seconds.
    pub initial_delay: f64,
    /// Seconds.
    pub max_delay: f64,
    /// The factor from one delay to the next.
    pub multiplier: f64,
}

/// `http.default_retry` and its cautious sibling: five retries, 1 s, 60 s, times 1.25. \[D\]
pub const POLICIES: [Policy; 2] = [
    Policy {
        name: "http.default_retry",
        predicate: "http.default_retry_predicate",
        max_retries: 5,
        initial_delay: 1.0,
        max_delay: 60.0,
        multiplier: 1.25,
    },
    Policy {
        name: "http.default_retry_non_idempotent",
        predicate: "http.default_retry_predicate_non_idempotent",
        max_retries: 5,
        initial_delay: 1.0,
        max_delay: 60.0,
        multiplier: 1.25,
    },
];

/// Whether an error has one of these codes or tags.
pub(super) fn is_one_of(args: &Args<'_>, codes: &[i64], tags: &[&str]) -> Answer {
    let Some(map) = args.value(0).as_map() else { return Ok(Value::Bool(false)) };
    let has_code = matches!(map.get("code"), Some(Value::Int(code)) if codes.contains(code));
    let own = map.get("tags").and_then(Value::as_list).unwrap_or(&[]);
    let has_tag = own.iter().any(|tag| tag.as_str().is_some_and(|tag| tags.contains(&tag)));
    Ok(Value::Bool(has_code || has_tag))
}
