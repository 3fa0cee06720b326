//! The language that definitions are written in, given from outside: the engine stores sources
//! and runs programs, and knows nothing of what lies between.

use std::sync::Arc;

use jobmill_model::Map;
use jobmill_model::definition::Place;
use jobmill_model::machine::{History, Program};

use crate::ops::google::remote::Remotes;

/// A language: source text to a script or to what is wrong with it.
pub trait Language: Send + Sync {
    /// Reads and checks a source. Must end in bounded time, whatever the text.
    fn check(&self, source: &str) -> Checked;

    /// Draws a source as SVG, with the way that an execution took through it, if there is one;
    /// `None` if it cannot be read or is too large.
    fn draw(&self, source: &str, way: Option<&History>) -> Option<String>;
}

/// What the checks of a source came to.
#[derive(Clone)]
pub struct Checked {
    /// What can be run, if there is no error.
    pub script: Option<Arc<dyn Script>>,
    /// Every finding, errors and warnings, in the order of the source.
    pub findings: Vec<Finding>,
}

/// A checked source.
pub trait Script: Send + Sync {
    /// The program whose executions see these variables.
    fn program(&self, env: &Map) -> Arc<dyn Program>;
}

/// Something that is wrong with a source, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether the source is refused for it.
    pub is_error: bool,
    /// A stable name of the rule.
    pub code: String,
    /// What is wrong, a lower-case fragment.
    pub message: String,
    /// The step it is in.
    pub step: Option<String>,
    /// The routine it is in.
    pub routine: Option<String>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// How many characters it spans.
    pub length: u32,
    /// The line of the source with carets under the place.
    pub excerpt: String,
    /// What to write instead.
    pub suggestion: Option<String>,
    /// The sentence in which Google's deployment says it.
    pub deployment: String,
}

/// What a process needs to run definitions.
#[derive(Clone)]
pub struct Workflows {
    /// The language that they are written in.
    pub language: Arc<dyn Language>,
    /// Where a definition lives that is deployed without saying so.
    pub home: Place,
    /// What the addresses of callbacks begin with, such as `http://127.0.0.1:8080`.
    pub public_url: String,
    /// Where the connectors of Google's services go.
    pub remotes: Remotes,
    /// The longest argument of an execution, as JSON text.
    pub argument_bytes: usize,
}
