//! `retry.*`, and the predicates and policies that `http.*` offers.

use jobmill_google::retry::{INITIAL_DELAY, MAX_DELAY, MAX_RETRIES, MULTIPLIER, Passing};

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
        ("initial_delay", Value::Double(INITIAL_DELAY)),
        ("max_delay", Value::Double(MAX_DELAY)),
        ("multiplier", Value::Double(MULTIPLIER)),
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
        max_retries: MAX_RETRIES as i64,
        initial_delay: INITIAL_DELAY,
        max_delay: MAX_DELAY,
        multiplier: MULTIPLIER,
    },
    Policy {
        name: "http.default_retry_non_idempotent",
        predicate: "http.default_retry_predicate_non_idempotent",
        max_retries: MAX_RETRIES as i64,
        initial_delay: INITIAL_DELAY,
        max_delay: MAX_DELAY,
        multiplier: MULTIPLIER,
    },
];

/// Whether an error is one that may pass.
pub(super) fn may_pass(args: &Args<'_>, passing: &Passing) -> Answer {
    let Some(map) = args.value(0).as_map() else { return Ok(Value::Bool(false)) };
    let statuses = || passing.statuses.iter().map(|status| i64::from(*status));
    let has_code =
        matches!(map.get("code"), Some(Value::Int(code)) if statuses().any(|it| it == *code));
    let own = map.get("tags").and_then(Value::as_list).unwrap_or(&[]);
    let has_tag = own.iter().any(|tag| tag.as_str().is_some_and(|tag| passing.tags.contains(&tag)));
    Ok(Value::Bool(has_code || has_tag))
}
