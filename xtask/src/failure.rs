//! Why a task failed, in words for the person at the terminal.

use std::fmt::Display;

/// What went wrong, and the line that has to stand last on stdout all the same.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    last_line: Option<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), last_line: None }
    }

    /// For `map_err`: says what was tried, then what the system answered.
    pub(crate) fn of<E: Display>(tried: impl Display) -> impl FnOnce(E) -> Self {
        move |error| Self::new(format!("{tried}: {error}"))
    }

    /// Puts what was going on in front of the message.
    pub(crate) fn during(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Adds the line that scripts read, which comes last even when the task fails.
    pub(crate) fn with_last_line(mut self, line: impl Display) -> Self {
        self.last_line = Some(line.to_string());
        self
    }

    pub(crate) fn print(&self) {
        eprintln!("\nfailed: {}", self.message);
        if let Some(line) = &self.last_line {
            println!("{line}");
        }
    }
}

#[cfg(test)]
impl Failure {
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}
