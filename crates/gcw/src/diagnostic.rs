//! What is wrong with a definition: one diagnostic per finding, each with its place, an excerpt
//! with carets and, where one can be guessed, a suggestion.
//!
//! [`Diagnostic::deployment`] is the sentence that Google's deployment answers with. \[D\]

use std::fmt;

use crate::source::place::{Lines, Position, Span};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The definition is accepted; somebody should look.
    Warning,
    /// The definition is refused.
    Error,
}

/// One finding in a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// Whether the definition is refused for it.
    pub severity: Severity,
    /// A stable name of the rule, in kebab case.
    pub code: &'static str,
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// What was being looked at, as deployment errors word it: `error evaluating return value`.
    pub while_doing: Option<String>,
    /// The step it is in.
    pub step: Option<String>,
    /// The routine it is in.
    pub routine: Option<String>,
    /// Where it is: bytes of the source.
    pub span: Span,
    /// Where it is: line and column from 1, length in characters.
    pub position: Position,
    /// The line of the source with carets under the place.
    pub excerpt: String,
    /// What to write instead.
    pub suggestion: Option<String>,
}

impl Diagnostic {
    /// The sentence of a failed deployment, as Google words it. \[D\]
    #[must_use]
    pub fn deployment(&self) -> String {
        let mut text = "failed to build: ".to_owned();
        if let Some(step) = &self.step {
            text.push_str(&format!("error in step {step}: "));
        }
        if let Some(doing) = &self.while_doing {
            text.push_str(&format!("{doing}: "));
        }
        text + &self.message
    }

    /// Whether the definition is refused for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = if self.is_error() { "error" } else { "warning" };
        let place = format!("{}:{}", self.position.line, self.position.column);
        writeln!(f, "{place}: {severity}[{}]: {}", self.code, self.message)?;
        writeln!(f, "{}", self.excerpt)?;
        if let Some(step) = &self.step {
            let routine = self.routine.as_deref().unwrap_or("main");
            writeln!(f, "  in step {step:?}, routine {routine:?}")?;
        }
        match &self.suggestion {
            Some(suggestion) => writeln!(f, "  help: {suggestion}"),
            None => Ok(()),
        }
    }
}

/// Collects the findings of one definition.
#[derive(Debug)]
pub struct Reporter<'a> {
    lines: &'a Lines<'a>,
    findings: Vec<Diagnostic>,
    routine: Option<String>,
    step: Option<String>,
    has_errors: bool,
    /// Takes what comes when there are enough findings.
    overflow: Option<Box<Diagnostic>>,
}

/// More findings than this are not collected: they are the echo of an earlier one.
const FINDINGS_MAX: usize = 200;

impl<'a> Reporter<'a> {
    /// A reporter for one source.
    #[must_use]
    pub fn new(lines: &'a Lines<'a>) -> Self {
        Self {
            lines,
            findings: Vec::new(),
            routine: None,
            step: None,
            has_errors: false,
            overflow: None,
        }
    }

    /// The source's lines.
    #[must_use]
    pub fn lines(&self) -> &'a Lines<'a> {
        self.lines
    }

    /// Says in which routine the next findings are.
    pub fn enter_routine(&mut self, name: &str) {
        self.routine = Some(name.to_owned());
        self.step = None;
    }

    /// Says in which step the next findings are; answers the step before.
    pub fn enter_step(&mut self, name: Option<&str>) -> Option<String> {
        std::mem::replace(&mut self.step, name.map(str::to_owned))
    }

    /// Adds an error; the answer can be refined with a context and a suggestion.
    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Severity::Error, code, span, message.into())
    }

    /// Adds a warning.
    pub fn warning(
        &mut self,
        code: &'static str,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        self.add(Severity::Warning, code, span, message.into())
    }

    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        span: Span,
        message: String,
    ) -> &mut Diagnostic {
        self.has_errors |= severity == Severity::Error;
        let is_full = self.is_full();
        let finding = Diagnostic {
            severity,
            code,
            message,
            while_doing: None,
            step: self.step.clone(),
            routine: self.routine.clone(),
            span,
            position: self.lines.position(span),
            excerpt: if is_full { String::new() } else { self.lines.excerpt(span) },
            suggestion: None,
        };
        if is_full {
            return self.overflow.insert(Box::new(finding));
        }
        self.findings.push(finding);
        self.findings.last_mut().expect("one was pushed on the line above")
    }

    /// Whether there are enough findings; costly suggestions are not worth it any more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.findings.len() >= FINDINGS_MAX
    }

    /// Whether an error was found.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// All findings in the order of the source.
    #[must_use]
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.findings.sort_by_key(|finding| (finding.span.start, finding.span.end));
        self.findings.dedup();
        self.findings
    }
}

/// The candidate nearest to a mistyped name, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const CANDIDATES_MAX: usize = 1_000;
    // A name of one or two letters is near to everything.
    let allowed = (name.chars().count() / 3).min(3);
    let len = name.chars().count();
    candidates
        .filter(|candidate| {
            *candidate != name && candidate.chars().count().abs_diff(len) <= allowed
        })
        .take(CANDIDATES_MAX)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, candidate)| (*distance, candidate.len(), *candidate))
        .map(|(_, candidate)| candidate)
}

/// Edits between two names; a swap of neighbours is one edit; letters' case is half free.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(80).map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<char> = b.chars().take(80).map(|c| c.to_ascii_lowercase()).collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i + j;
                continue;
            }
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = rows[i - 1][j - 1] + change;
            best = best.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_guessed_and_a_far_one_is_not() {
        assert_eq!(nearest("resutl", ["result", "other"].into_iter()), Some("result"));
        assert_eq!(nearest("http.gett", ["http.get", "http.put"].into_iter()), Some("http.get"));
        assert_eq!(nearest("var", ["foo", "map"].into_iter()), None);
    }
}
