//! YAML events to the tree: aliases are copied within a budget, depth is bounded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as RawSpan};

use super::place::Span;
use super::scalar;
use super::tree::{Entry, Kind, Node, Style, Text};
use crate::diagnostic::Reporter;
use crate::limits::Limits;

struct Refusal {
    code: &'static str,
    span: Span,
    message: String,
}

struct Builder<'a> {
    limits: &'a Limits,
    nodes: u64,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, u64, u64)>,
    root: Option<Node>,
    documents: u32,
}

/// A collection that is not closed yet.
struct Open {
    anchor: usize,
    start: usize,
    items: Vec<Node>,
    is_map: bool,
    nodes_before: u64,
}

/// Reads YAML. `None` means that the reporter holds the reason.
///
/// Two things that stop the parser are mended, and reading begins again: a continuation line of
/// a quoted scalar that is indented too little (Google takes it \[S\]), and an expression cut by
/// `: ` (reported; what follows it is worth reading too).
pub(super) fn read(text: &str, limits: &Limits, report: &mut Reporter<'_>) -> Option<Node> {
    const MENDED_BYTES_MAX: usize = 512 * 1024;
    let mut mended = Mended { text: text.to_owned(), indented: Vec::new() };
    let rounds = if text.len() <= MENDED_BYTES_MAX { 32 } else { 0 };
    for round in 0..=rounds {
        match attempt(&mended, limits) {
            Ok(root) => {
                if root.is_none() {
                    report.error("empty-source", Span::new(0, 0), "the definition is empty");
                }
                return root;
            }
            Err(Stop::Refused(refusal)) => {
                report.error(refusal.code, refusal.span, refusal.message);
                return None;
            }
            Err(Stop::Syntax(at, message)) => {
                if round == rounds || !mended.mend(text, at, &message, report) {
                    syntax_error(text, at, message, report);
                    return None;
                }
            }
        }
    }
    None
}

enum Stop {
    Refused(Refusal),
    /// Where in the original source, and what.
    Syntax(usize, String),
}

/// The source with what was mended, and the way back to the original's offsets.
struct Mended {
    text: String,
    /// Starts of the lines of the original that were indented, in order.
    indented: Vec<usize>,
}

/// How far a line is indented when it is mended: further than any sensible nest.
const INDENT: usize = 200;

impl Mended {
    fn original(&self, at: usize) -> usize {
        let mut at = at;
        for line in self.indented.iter().copied() {
            if at < line {
                break;
            }
            at = at.saturating_sub(INDENT).max(line);
        }
        at
    }

    fn span(&self, raw: &RawSpan) -> Span {
        let at = |marker: &Marker| self.original(marker.byte_offset().unwrap_or(marker.index()));
        Span::new(at(&raw.start), at(&raw.end))
    }

    /// Whether something could be done about a syntax error.
    fn mend(&mut self, text: &str, at: usize, message: &str, report: &mut Reporter<'_>) -> bool {
        if message.starts_with("invalid indentation in multiline quoted scalar") {
            let line = report.lines().line_start(Span::new(at, at).start) as usize;
            if self.indented.contains(&line) {
                return false;
            }
            let before = self.indented.iter().filter(|known| **known < line).count();
            self.text.insert_str(line + before * INDENT, &" ".repeat(INDENT));
            self.indented.push(line);
            self.indented.sort_unstable();
            return true;
        }
        let at = Span::new(at, at).start;
        let (cut, code, message) = if let Some(cut) = cut_expression(text, at, report) {
            (cut, "expression-cut", "the expression is cut at ': ', which ends a plain YAML scalar")
        } else if let Some(cut) = flow_expression(text, at, report) {
            let message = "an expression inside [ ] or { } ends at its first brace";
            (cut, "expression-unquoted", message)
        } else {
            return false;
        };
        let before = self.indented.iter().filter(|known| **known <= cut.start as usize).count();
        let from = cut.start as usize + before * INDENT;
        let len = (cut.end - cut.start) as usize;
        let Some(expression) = self.text.get(from..from + len) else { return false };
        if !expression.starts_with("${") {
            return false;
        }
        let quoted = quote(expression);
        self.text.replace_range(from..from + len, &format!("{:<len$}", "true"));
        report.error(code, cut, message).suggestion =
            Some(format!("quote the whole expression: {quoted}"));
        true
    }
}

fn attempt(mended: &Mended, limits: &Limits) -> Result<Option<Node>, Stop> {
    let mut builder = Builder {
        limits,
        nodes: 0,
        open: Vec::new(),
        anchors: HashMap::new(),
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str(&mended.text) {
        match event {
            Ok((event, raw)) => {
                builder.take(event, mended.span(&raw)).map_err(Stop::Refused)?;
            }
            Err(error) => {
                let marker = error.marker();
                let at = mended.original(marker.byte_offset().unwrap_or(marker.index()));
                return Err(Stop::Syntax(at, message_of(&error)));
            }
        }
    }
    Ok(builder.root)
}

/// The parser's message without its own idea of the place.
fn message_of(error: &ScanError) -> String {
    let message = error.to_string();
    [" at char", " at byte", " at line"]
        .iter()
        .fold(message.as_str(), |text, end| text.split(end).next().unwrap_or(text))
        .trim()
        .to_owned()
}

fn syntax_error(text: &str, at: usize, message: String, report: &mut Reporter<'_>) {
    let at = at.min(text.len());
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    let end = at + next.map_or(0, char::len_utf8);
    let line = report.lines().line_text(Span::new(at, at).start);
    let is_in_flow = line
        .find("${")
        .is_some_and(|from| line[..from].contains(['[', '{']) || line.starts_with('-'));
    let is_about_indentation = message.contains("block mapping") || message.contains("block seq");
    let found = report.error("yaml-syntax", Span::new(at, end), message);
    if is_about_indentation {
        found.suggestion =
            Some("is this line indented like its neighbours of the same level?".to_owned());
    } else if is_in_flow {
        found.suggestion =
            Some("quote the expression: inside [ ] and { } it ends at the first brace".to_owned());
    }
}

/// The unquoted `${…}` on the line of an error that holds a `: `.
fn cut_expression(text: &str, at: u32, report: &Reporter<'_>) -> Option<Span> {
    let lines = report.lines();
    let start = lines.line_start(at) as usize;
    let line = lines.line_text(at);
    let from = line.find("${")?;
    let before = line[..from].trim_end();
    let is_plain = before.is_empty() || before.ends_with([':', '-']);
    let expression = line[from..].trim_end();
    if !is_plain || !expression.contains(": ") {
        return None;
    }
    let end = start + from + expression.len();
    text.get(start + from..end)?;
    Some(Span::new(start + from, end))
}

/// The unquoted `${…}` around an error, whose braces were taken for a flow mapping.
fn flow_expression(text: &str, at: u32, report: &Reporter<'_>) -> Option<Span> {
    let lines = report.lines();
    let start = lines.line_start(at) as usize;
    let line = lines.line_text(at);
    for (from, _) in line.match_indices("${") {
        let before = line[..from].trim_end();
        let end = from + brace_end(&line[from..])?;
        let is_around = (start + from..=start + end + 1).contains(&(at as usize));
        if is_around && before.ends_with(['[', '{', ',', ':']) {
            text.get(start + from..start + end)?;
            return Some(Span::new(start + from, start + end));
        }
    }
    None
}

/// Where the braces of `${…}` are balanced again; braces in strings do not count.
fn brace_end(text: &str) -> Option<usize> {
    let (mut depth, mut is_string, mut is_escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_string => is_escaped = true,
            '"' => is_string = !is_string,
            '{' if !is_string => depth += 1,
            '}' if !is_string => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// The text as a YAML scalar that keeps it whole.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Refusal> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a definition is one YAML document, this is a second one".into();
                    return Err(Refusal { code: "second-document", span, message });
                }
            }
            Event::Scalar(value, style, anchor, tag) => {
                let is_text = tag.is_some_and(|tag| tag.suffix() == "str");
                let node = Node { kind: scalar_kind(&value, style, is_text), span };
                self.count(span, 1)?;
                self.close(node, anchor, 1, 0)?;
            }
            Event::SequenceStart(_, anchor, _) => self.open(anchor, span, false)?,
            Event::MappingStart(_, anchor, _) => self.open(anchor, span, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(id) => self.alias(id, span)?,
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, span: Span, nodes: u64) -> Result<(), Refusal> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > self.limits.source_nodes {
            let message =
                format!("the definition is over the limit of {} nodes", self.limits.source_nodes);
            return Err(Refusal { code: "too-many-nodes", span, message });
        }
        Ok(())
    }

    fn check_depth(&self, span: Span, more: u64) -> Result<(), Refusal> {
        if self.open.len() as u64 + more > self.limits.source_depth {
            let message =
                format!("nested deeper than the limit of {} levels", self.limits.source_depth);
            return Err(Refusal { code: "nested-too-deep", span, message });
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, span: Span, is_map: bool) -> Result<(), Refusal> {
        self.count(span, 1)?;
        self.check_depth(span, 1)?;
        self.open.push(Open {
            anchor,
            start: span.start as usize,
            items: Vec::new(),
            is_map,
            nodes_before: self.nodes,
        });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Refusal> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let last = open.items.last().map_or(span.end, |node| node.span.end.max(span.end));
        let whole = Span::new(open.start, last as usize);
        let kind = if open.is_map { map_kind(open.items)? } else { Kind::List(open.items) };
        let nodes = self.nodes - open.nodes_before + 1;
        let node = Node { kind, span: whole };
        let depth = depth_of(&node);
        self.close(node, open.anchor, nodes, depth)
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Refusal> {
        let Some((node, nodes, depth)) = self.anchors.get(&id) else {
            let message = "an alias inside the node that it names".to_owned();
            return Err(Refusal { code: "alias-loop", span, message });
        };
        let (nodes, depth) = (*nodes, *depth);
        let mut copy = if self.nodes.saturating_add(nodes) > self.limits.source_nodes {
            Node { kind: Kind::Null, span }
        } else {
            node.clone()
        };
        copy.span = span;
        self.count(span, nodes)?;
        self.check_depth(span, depth)?;
        self.close(copy, 0, nodes, depth)
    }

    fn close(&mut self, node: Node, anchor: usize, nodes: u64, depth: u64) -> Result<(), Refusal> {
        if anchor != 0 {
            // A copy per anchor is paid for like an alias, or nested anchors would square.
            self.count(node.span, nodes)?;
            self.anchors.insert(anchor, (node.clone(), nodes, depth));
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
}

fn depth_of(node: &Node) -> u64 {
    match &node.kind {
        Kind::List(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        Kind::Map(entries) => 1 + entries.iter().map(|e| depth_of(&e.value)).max().unwrap_or(0),
        _ => 0,
    }
}

fn scalar_kind(value: &str, style: ScalarStyle, is_text: bool) -> Kind {
    let style = match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    };
    let text = || Kind::Text(Text { value: Arc::from(value), style });
    if style == Style::Plain && !is_text {
        scalar::resolve(value).unwrap_or_else(text)
    } else {
        text()
    }
}

fn map_kind(items: Vec<Node>) -> Result<Kind, Refusal> {
    let mut entries = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        let key_span = key.span;
        let plain = |value: String| Text { value: value.into(), style: Style::Plain };
        let key = match key.kind {
            Kind::Text(text) => text,
            Kind::Null => plain("null".into()),
            Kind::Bool(value) => plain(value.to_string()),
            Kind::Int(value) => plain(value.to_string()),
            Kind::Double(value) => plain(crate::value::double_text(value)),
            Kind::List(_) | Kind::Map(_) => {
                let message = "a key must be a scalar; quote an expression used as a key".into();
                return Err(Refusal { code: "key-not-scalar", span: key_span, message });
            }
        };
        entries.push(Entry { key, key_span, value });
    }
    merged(entries).map(Kind::Map)
}

fn is_merge(entry: &Entry) -> bool {
    entry.key.style == Style::Plain && &*entry.key.value == "<<"
}

/// Puts the entries of the maps under an unquoted `<<` in its place; what the map itself says, or
/// an earlier one of them, goes before.
fn merged(entries: Vec<Entry>) -> Result<Vec<Entry>, Refusal> {
    if !entries.iter().any(is_merge) {
        return Ok(entries);
    }
    let own = entries.iter().filter(|entry| !is_merge(entry));
    let mut known: HashSet<Arc<str>> = own.map(|entry| entry.key.value.clone()).collect();
    let mut all = Vec::with_capacity(entries.len());
    for entry in entries {
        if !is_merge(&entry) {
            all.push(entry);
            continue;
        }
        let maps = match entry.value.kind {
            Kind::List(items) => items,
            kind => vec![Node { kind, span: entry.value.span }],
        };
        for map in maps {
            let Kind::Map(more) = map.kind else {
                let message = "'<<' takes a map or a list of maps, such as an alias of one".into();
                return Err(Refusal { code: "merge-not-map", span: map.span, message });
            };
            all.extend(more.into_iter().filter(|entry| known.insert(entry.key.value.clone())));
        }
    }
    Ok(all)
}
