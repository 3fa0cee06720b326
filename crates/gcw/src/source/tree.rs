//! The tree of a source: spanned nodes with resolved scalars.

use std::collections::HashMap;
use std::sync::Arc;

use super::place::Span;
use crate::diagnostic::Reporter;

/// A node of the source.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub span: Span,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// A plain boolean.
    Bool(bool),
    /// A plain integer that fits 64 bits.
    Int(i64),
    /// Any other plain number.
    Double(f64),
    /// Text.
    Text(Text),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in source order, duplicates included.
    Map(Vec<Entry>),
}

/// Text with its notation.
#[derive(Debug, Clone)]
pub struct Text {
    /// The text after unescaping and folding.
    pub value: Arc<str>,
    /// How it was written.
    pub style: Style,
}

/// How a text was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

/// One entry of a mapping. Keys are text: a number or boolean becomes its text. \[S\]
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key's text.
    pub key: Text,
    /// Where the key is.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// What this kind of node is called, with its article.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) | Kind::Double(_) => "a number",
            Kind::Text(_) => "a string",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// The text, if this is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&Text> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Node]> {
        if let Kind::List(items) = &self.kind { Some(items) } else { None }
    }

    /// The entries, if this is a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&[Entry]> {
        if let Kind::Map(entries) = &self.kind { Some(entries) } else { None }
    }
}

/// Reports every key that appears twice in one mapping.
pub(super) fn check_keys(node: &Node, report: &mut Reporter<'_>) {
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| check_keys(item, report)),
        Kind::Map(entries) => {
            let mut seen: HashMap<&str, Span> = HashMap::new();
            for entry in entries {
                if let Some(first) = seen.insert(&entry.key.value, entry.key_span) {
                    let line = report.lines().position(first).line;
                    let key = &entry.key.value;
                    let message = format!("duplicate key '{key}', first on line {line}");
                    report.error("duplicate-key", entry.key_span, message);
                }
                check_keys(&entry.value, report);
            }
        }
        _ => {}
    }
}
