//! Google Cloud Workflows: text to a checked program to a machine.
//!
//! ```
//! use jobmill_gcw::{Limits, check};
//!
//! let checked = check("- done:\n    return: ${1 + x}\n", &Limits::lifted());
//! assert!(checked.program.is_none());
//! assert_eq!(
//!     checked.diagnostics[0].deployment(),
//!     "failed to build: error in step done: error evaluating return value: \
//!      symbol 'x' is neither a variable nor a sub-workflow name",
//! );
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`source`] | YAML and JSON with spans |
//! | [`ast`], [`parse`] | the tree of a definition, unresolved |
//! | [`expr`] | the `${…}` language |
//! | [`mod@check`] | the static checks; they leave a program behind |
//! | [`program`] | the compiled form |
//! | [`graph`] | a definition as a drawing |
//! | [`machine`] | one execution, and how it fails |
//! | [`effect`] | calls that touch the world, as data |
//! | [`stdlib`], [`connectors`] | what can be called |
//! | [`local`] | a run in memory against a scripted world |
//! | [`diagnostic`], [`limits`], [`value`], [`fault`] | the nouns |
//!
//! Facts about the language carry the mark of their evidence: \[D\] read in Google's
//! documentation, \[R\] seen in the real service's output, \[S\] shown by Google's samples, \[2\]
//! second-hand, \[M\] remembered, \[?\] unknown, a ruling of ours. The rules themselves stand in
//! `tests/spec/*.md`, whose examples are tests.

pub mod ast;
pub mod check;
pub mod connectors;
pub mod diagnostic;
pub mod effect;
pub mod expr;
pub mod fault;
pub mod graph;
pub mod limits;
pub mod local;
pub mod machine;
pub mod parse;
pub mod program;
pub mod source;
pub mod stdlib;
pub mod value;

use std::sync::Arc;

pub use diagnostic::{Diagnostic, Severity};
pub use limits::Limits;
pub use machine::{Failure, Machine, StackElement, StepEvent, StepEventKind, Workflow};
pub use program::Program;
pub use value::Value;

/// What the checks of a definition came to.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The program, if there is no error.
    pub program: Option<Arc<Program>>,
    /// The tree of the definition, as far as it could be read: what a graph is drawn from.
    pub definition: Option<ast::Definition>,
    /// Every finding, errors and warnings, in the order of the source.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// Whether the definition is refused.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads and checks a definition, YAML or JSON.
#[must_use]
pub fn check(text: &str, limits: &Limits) -> Checked {
    let is_too_large = text.len() as u64 > limits.source_bytes;
    // What is refused for its size alone is not even cut into lines.
    let lines = source::place::Lines::new(if is_too_large { "" } else { text });
    let mut report = diagnostic::Reporter::new(&lines);
    let definition = source::read(text, limits, &mut report)
        .map(|root| parse::definition(&root, limits, &mut report));
    let program = definition
        .as_ref()
        .and_then(|definition| check::definition(definition, limits, &mut report))
        .map(Arc::new);
    Checked { program, definition, diagnostics: report.finish() }
}
