//! JSON to the tree, with spans.

use std::sync::Arc;

use super::place::Span;
use super::tree::{Entry, Kind, Node, Style, Text};
use crate::limits::Limits;

/// The text is not JSON; it may still be YAML.
#[derive(Debug)]
pub(super) struct NotJson;

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u64,
    nodes: u64,
    limits: &'a Limits,
}

/// Reads JSON strictly; the YAML door explains what is wrong with the rest.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Node, NotJson> {
    let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut reader = Reader { text, at, depth: 0, nodes: 0, limits };
    let node = reader.value()?;
    reader.space();
    if reader.at == text.len() { Ok(node) } else { Err(NotJson) }
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self) -> Result<Node, NotJson> {
        self.space();
        self.nodes += 1;
        if self.nodes > self.limits.source_nodes || self.depth > self.limits.source_depth {
            return Err(NotJson);
        }
        let start = self.at;
        let kind = match self.peek().ok_or(NotJson)? {
            b'{' => self.nested(Self::map)?,
            b'[' => self.nested(Self::list)?,
            b'"' => Kind::Text(self.string()?),
            _ => self.word()?,
        };
        Ok(Node { kind, span: Span::new(start, self.at) })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Kind, NotJson>) -> Result<Kind, NotJson> {
        self.depth += 1;
        self.at += 1;
        let kind = read(self)?;
        self.depth -= 1;
        Ok(kind)
    }

    fn map(&mut self) -> Result<Kind, NotJson> {
        let mut entries = Vec::new();
        if self.eat(b'}') {
            return Ok(Kind::Map(entries));
        }
        loop {
            self.space();
            let start = self.at;
            let key = self.string()?;
            let key_span = Span::new(start, self.at);
            if !self.eat(b':') {
                return Err(NotJson);
            }
            entries.push(Entry { key, key_span, value: self.value()? });
            if self.eat(b'}') {
                return Ok(Kind::Map(entries));
            }
            if !self.eat(b',') {
                return Err(NotJson);
            }
        }
    }

    fn list(&mut self) -> Result<Kind, NotJson> {
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Kind::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.eat(b']') {
                return Ok(Kind::List(items));
            }
            if !self.eat(b',') {
                return Err(NotJson);
            }
        }
    }

    fn string(&mut self) -> Result<Text, NotJson> {
        if self.peek() != Some(b'"') {
            return Err(NotJson);
        }
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek().ok_or(NotJson)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let raw = self.text.get(start..self.at).ok_or(NotJson)?;
        let value: String = serde_json::from_str(raw).map_err(|_| NotJson)?;
        Ok(Text { value: Arc::from(value), style: Style::Double })
    }

    fn word(&mut self) -> Result<Kind, NotJson> {
        let start = self.at;
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        while self.peek().is_some_and(is_part) {
            self.at += 1;
        }
        let word = &self.text[start..self.at];
        match serde_json::from_str::<serde_json::Value>(word).map_err(|_| NotJson)? {
            serde_json::Value::Null => Ok(Kind::Null),
            serde_json::Value::Bool(value) => Ok(Kind::Bool(value)),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(int) => Ok(Kind::Int(int)),
                None => number.as_f64().map(Kind::Double).ok_or(NotJson),
            },
            _ => Err(NotJson),
        }
    }
}
