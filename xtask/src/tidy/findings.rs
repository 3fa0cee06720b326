//! What a law has found.

use std::fmt::Display;

#[derive(Default)]
pub(crate) struct Findings {
    /// Each fails the command.
    pub(crate) violations: Vec<String>,
    /// Each is printed and fails nothing.
    pub(crate) notes: Vec<String>,
}

impl Findings {
    pub(crate) fn violation(&mut self, place: impl Display, text: impl Display) {
        self.violations.push(format!("{place}: {text}"));
    }

    pub(crate) fn violation_at(&mut self, path: &str, line: usize, text: impl Display) {
        self.violation(format_args!("{path}:{line}"), text);
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

/// Tests of laws: what one law finds in an invented house.
#[cfg(test)]
pub(crate) fn found(check: fn(&super::House, &mut Findings), house: &super::House) -> Vec<String> {
    let mut findings = Findings::default();
    check(house, &mut findings);
    findings.violations
}

/// Tests of laws: what one law finds in an invented tree.
#[cfg(test)]
pub(crate) fn found_in(
    check: fn(&super::House, &mut Findings),
    files: &[(&str, &str)],
) -> Vec<String> {
    found(check, &super::House::of_files(files))
}
