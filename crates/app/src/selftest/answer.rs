//! Reads the answers of the API as far as the self-test needs them.

use jobmill_model::Value;

use super::ledger::End;

/// A field of an object.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_map()?.get(name)
}

/// A text of an object; empty if there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    field(value, name).and_then(Value::as_str).unwrap_or_default()
}

/// A whole number of an object; 0 if there is none.
pub(super) fn whole<N: TryFrom<i64> + Default>(value: &Value, name: &str) -> N {
    let number = field(value, name).and_then(Value::as_int);
    number.and_then(|number| N::try_from(number).ok()).unwrap_or_default()
}

/// The items of a list answer.
pub(super) fn items(value: &Value) -> &[Value] {
    field(value, "items").and_then(Value::as_list).unwrap_or_default()
}

/// How a job ended, from the job and the answer to the question for its outcome.
pub(super) fn end_of(job: &Value, outcome: &Value) -> End {
    let what = ["result", "error"].iter().find_map(|name| field(outcome, name));
    End {
        status: text(job, "status").to_owned(),
        finished_at: text(job, "finished_at").to_owned(),
        attempt: whole(job, "attempt"),
        outcome: what.unwrap_or(outcome).to_string(),
    }
}
