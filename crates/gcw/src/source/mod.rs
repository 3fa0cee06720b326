//! The source door: text in, a tree of spanned nodes out.
//!
//! YAML goes through the events of `granit-parser`, JSON through a reader of our own (YAML's
//! rules on tabs and escapes are not JSON's). Scalars are resolved here by the core schema of
//! YAML 1.2; duplicate keys are errors; size, nodes and depth are bounded before anything grows.

mod json;
pub mod offsets;
pub mod place;
mod scalar;
mod tree;
mod yaml;

pub use tree::{Entry, Kind, Node, Style, Text};

use crate::diagnostic::Reporter;
use crate::limits::Limits;
use place::Span;

/// Reads one definition into its tree. `None` means that the reporter holds the reasons.
pub fn read(text: &str, limits: &Limits, report: &mut Reporter<'_>) -> Option<Node> {
    if text.len() as u64 > limits.source_bytes {
        let message =
            format!("source of {} bytes is over the limit of {}", text.len(), limits.source_bytes);
        report.error("source-too-large", Span::new(0, 0), message);
        return None;
    }
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let node = match start.starts_with(['{', '[']) {
        true => read_json(text, limits, report)?,
        false => yaml::read(text, limits, report)?,
    };
    tree::check_keys(&node, report);
    Some(node)
}

/// What begins like JSON may still be YAML in flow style; if it is neither, it was meant as JSON.
fn read_json(text: &str, limits: &Limits, report: &mut Reporter<'_>) -> Option<Node> {
    if let Ok(node) = json::read(text, limits) {
        return Some(node);
    }
    let Err(error) = serde_json::from_str::<Box<serde_json::value::RawValue>>(text) else {
        return yaml::read(text, limits, report);
    };
    let mut scratch = Reporter::new(report.lines());
    if let Some(node) = yaml::read(text, limits, &mut scratch) {
        return Some(node);
    }
    let is_json = text.contains("\":") && error.line() > 0;
    if !is_json {
        return yaml::read(text, limits, report);
    }
    let at = report.lines().offset(error.line(), error.column());
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    report.error("json-syntax", Span::new(at, at + 1), message);
    None
}
