//! What went wrong: a stable code, a text for the reader, a text for the log, a class.

use std::borrow::Cow;
use std::fmt;

use crate::limits::{MESSAGE_BYTES, TRACE_BYTES};
use crate::time::Span;

/// A failure of an op, a machine or an effect.
///
/// It has two faces: [`message`](Self::message) and [`trace`](Self::trace) are shown to whoever
/// owns the job; [`inner`](Self::inner) goes to the log only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A stable name such as `InvalidInput`, `Timeout` or `WorkerLost`.
    pub code: Cow<'static, str>,
    /// What happened and what to do, as a lower-case fragment.
    pub message: String,
    /// Where it happened, one frame a line; may be empty.
    pub trace: String,
    /// Details for the log that the job's owner should not see.
    pub inner: Option<String>,
    /// Whether trying again may help.
    pub class: Class,
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The same work may succeed later, perhaps not before a while.
    Retry {
        /// Do not try again sooner than this.
        not_before: Option<Span>,
    },
    /// The same work would fail again.
    Final,
    /// Somebody asked for it to stop.
    Cancelled,
}

impl Fault {
    /// A failure that would happen again.
    pub fn last(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            trace: String::new(),
            inner: None,
            class: Class::Final,
        }
    }

    /// A failure that may pass.
    pub fn retry(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { class: Class::Retry { not_before: None }, ..Self::last(code, message) }
    }

    /// The work stopped because it was asked to.
    #[must_use]
    pub fn cancelled() -> Self {
        Self { class: Class::Cancelled, ..Self::last("Cancelled", "the job was cancelled") }
    }

    /// The same failure with the place where it happened added as the outermost frame.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        if !self.trace.is_empty() {
            self.trace.push('\n');
        }
        self.trace.push_str(&format!("at {place}"));
        self
    }

    /// The same failure with details for the log.
    #[must_use]
    pub fn with_inner(mut self, inner: impl Into<String>) -> Self {
        self.inner = Some(inner.into());
        self
    }

    /// The same failure with its texts cut to what a store keeps of them.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        self.message.truncate(cut(&self.message, MESSAGE_BYTES).len());
        self.trace.truncate(cut(&self.trace, TRACE_BYTES).len());
        self
    }
}

/// The beginning of a text: at most so many bytes, cut between two characters.
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Fault {}

/// One thing that is wrong with a document, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer (RFC 6901) to the value; empty for the whole document.
    pub pointer: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl Problem {
    /// A problem at a pointer.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pointer.as_str() {
            "" => f.write_str(&self.message),
            pointer => write!(f, "{pointer}: {}", self.message),
        }
    }
}

/// The pointer one step below `parent`, with `~` and `/` escaped.
#[must_use]
pub fn pointer_below(parent: &str, step: impl fmt::Display) -> String {
    format!("{parent}/{}", step.to_string().replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_escape_their_steps() {
        assert_eq!(pointer_below("/input", "a/b~c"), "/input/a~1b~0c");
        assert_eq!(pointer_below("", 3), "/3");
    }

    #[test]
    fn long_texts_are_cut_between_two_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        let fault = Fault::last("X", "é".repeat(MESSAGE_BYTES)).at("x".repeat(TRACE_BYTES));
        let fault = fault.trimmed();
        assert_eq!((fault.message.len(), fault.trace.len()), (MESSAGE_BYTES, TRACE_BYTES));
    }

    #[test]
    fn frames_are_added_from_the_inside_out() {
        let fault = Fault::last("X", "broke").at("op expand").at("flow f");
        assert_eq!(fault.trace, "at op expand\nat flow f");
    }
}
