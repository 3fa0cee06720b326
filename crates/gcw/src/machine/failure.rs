//! How an execution fails: payload, context and stack trace as the real service shows them. \[R\]

use std::fmt::Write as _;
use std::sync::Arc;

use jobmill_model as model;

use super::raise::Raised;
use crate::source::place::Position;
use crate::value::Value;

/// An uncaught error.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Its first tag, or `RuntimeError`.
    pub code: String,
    /// The JSON text of the error's value, keys sorted.
    pub payload: String,
    /// What it was, the first line of the context.
    pub message: String,
    /// Where it happened, innermost first.
    pub stack: Vec<StackElement>,
}

/// One place of a stack trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackElement {
    /// The step.
    pub step: Arc<str>,
    /// The routine.
    pub routine: Arc<str>,
    /// The place of the expression or call.
    pub position: Position,
}

const PAYLOAD: &str = "payload: ";

impl Failure {
    pub(super) fn of(raised: Raised) -> Self {
        let value = &raised.fault.value;
        Self {
            code: code_of(value).unwrap_or("RuntimeError").to_owned(),
            payload: value.to_string(),
            message: raised.fault.context.to_string(),
            stack: raised.stack,
        }
    }

    /// The context: what it was, then one line a place.
    #[must_use]
    pub fn context(&self) -> String {
        let mut text = self.message.clone();
        for at in &self.stack {
            let line = at.position.line;
            let _ = write!(text, "\nin step {:?}, routine {:?}, line: {line}", at.step, at.routine);
        }
        text
    }

    /// The fault of a job that failed so. Its trace has one line a place, with column and
    /// length, and the payload last; [`from_fault`](Self::from_fault) reads it back.
    #[must_use]
    pub fn to_fault(&self) -> model::Fault {
        let mut fault = model::Fault::last(self.code.clone(), self.message.clone());
        for StackElement { step, routine, position } in &self.stack {
            let Position { line, column, length } = position;
            let quoted = |text: &Arc<str>| model::Value::String(text.clone()).to_string();
            let (step, routine) = (quoted(step), quoted(routine));
            let _ = writeln!(
                fault.trace,
                "in step {step}, routine {routine}, \
                 line: {line}, column: {column}, length: {length}"
            );
        }
        fault.trace.push_str(PAYLOAD);
        fault.trace.push_str(&self.payload);
        fault
    }

    /// Reads a failure back from a job's fault; `None` if no machine of this crate wrote it.
    #[must_use]
    pub fn from_fault(fault: &model::Fault) -> Option<Self> {
        Self::from_parts(&fault.code, &fault.message, &fault.trace)
    }

    /// Reads a failure back from the parts of a job's fault.
    #[must_use]
    pub fn from_parts(code: &str, message: &str, trace: &str) -> Option<Self> {
        let (places, payload) = match trace.strip_prefix(PAYLOAD) {
            Some(payload) => ("", payload),
            None => trace.split_once(&format!("\n{PAYLOAD}"))?,
        };
        let stack = places.lines().map(place).collect::<Option<Vec<_>>>()?;
        Some(Self {
            code: code.to_owned(),
            payload: payload.to_owned(),
            message: message.to_owned(),
            stack,
        })
    }
}

fn place(line: &str) -> Option<StackElement> {
    let rest = line.strip_prefix("in step ")?;
    let (step, rest) = rest.split_once(", routine ")?;
    let (routine, rest) = rest.split_once(", line: ")?;
    let (line, rest) = rest.split_once(", column: ")?;
    let (column, length) = rest.split_once(", length: ")?;
    let unquote = |text: &str| serde_json::from_str::<String>(text).ok().map(Arc::from);
    Some(StackElement {
        step: unquote(step)?,
        routine: unquote(routine)?,
        position: Position {
            line: line.parse().ok()?,
            column: column.parse().ok()?,
            length: length.parse().ok()?,
        },
    })
}

fn code_of(value: &Value) -> Option<&str> {
    value.as_map()?.get("tags")?.as_list()?.first()?.as_str()
}
