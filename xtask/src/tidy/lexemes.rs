//! The words of a source file with their lines, and the paths they form.
//!
//! Laws that look for a name read words, not the syntax tree, because the arguments of macros
//! are not in the tree and are in the words.

use proc_macro2::{Delimiter, Group, Literal, TokenStream, TokenTree};
use std::ops::RangeInclusive;

/// One word: an identifier, a literal, a punctuation character or a bracket.
pub(crate) struct Lexeme {
    pub(crate) text: String,
    pub(crate) line: usize,
    is_name: bool,
}

/// A path as it is written, such as `hyper_util::client`, with groups of `use` spelled out.
pub(crate) struct NamedPath {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) is_import: bool,
}

#[derive(Default)]
pub(crate) struct Lexemes {
    pub(crate) words: Vec<Lexeme>,
    /// The lines of literals that take more than one line: they are data, not code.
    pub(crate) long_literals: Vec<RangeInclusive<usize>>,
}

impl Lexemes {
    pub(crate) fn of(stream: TokenStream) -> Self {
        let mut lexemes = Self::default();
        lexemes.stream(stream);
        lexemes
    }

    fn stream(&mut self, stream: TokenStream) {
        for tree in stream {
            match tree {
                TokenTree::Group(group) => self.group(&group),
                TokenTree::Literal(literal) => self.literal(&literal),
                TokenTree::Ident(it) => self.push(it.to_string(), it.span().start().line, true),
                TokenTree::Punct(it) => {
                    self.push(it.as_char().to_string(), it.span().start().line, false);
                }
            }
        }
    }

    fn group(&mut self, group: &Group) {
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => return self.stream(group.stream()),
        };
        self.push(open.to_owned(), group.span_open().start().line, false);
        self.stream(group.stream());
        self.push(close.to_owned(), group.span_close().start().line, false);
    }

    fn literal(&mut self, literal: &Literal) {
        let (first, last) = (literal.span().start().line, literal.span().end().line);
        if first < last {
            self.long_literals.push(first..=last);
        }
        self.push(literal.to_string(), first, false);
    }

    fn push(&mut self, text: String, line: usize, is_name: bool) {
        self.words.push(Lexeme { text, line, is_name });
    }

    /// Whether the identifier occurs.
    pub(crate) fn name(&self, name: &str) -> bool {
        self.words.iter().any(|word| word.is_name && word.text == name)
    }

    /// Every path that is written, with `use a::{b, c::d}` spelled out as `a::b` and `a::c::d`.
    pub(crate) fn paths(&self) -> Vec<NamedPath> {
        let mut reading = PathReading::default();
        for word in &self.words {
            reading.word(word);
        }
        reading.paths
    }
}

/// The state of [`Lexemes::paths`] between two words.
#[derive(Default)]
struct PathReading {
    paths: Vec<NamedPath>,
    /// What the open brackets put in front of a new path.
    prefixes: Vec<Vec<String>>,
    in_use: bool,
    colons: usize,
    /// The last word was a name, or the colons after one.
    joins: bool,
}

impl PathReading {
    fn word(&mut self, word: &Lexeme) {
        match word.text.as_str() {
            ":" => self.colons += 1,
            "{" | "(" | "[" => {
                let prefix = self.opened_prefix();
                self.prefixes.push(prefix);
                self.rest(false);
            }
            "}" | ")" | "]" => {
                self.prefixes.pop();
                self.rest(false);
            }
            "use" if word.is_name => {
                self.in_use = true;
                self.rest(false);
            }
            ";" => {
                self.in_use = false;
                self.rest(false);
            }
            _ if word.is_name => {
                self.name(word);
                self.rest(true);
            }
            _ => self.rest(false),
        }
    }

    fn opened_prefix(&mut self) -> Vec<String> {
        if self.joins && self.colons == 2 {
            return self.paths.pop().map(|path| path.segments).unwrap_or_default();
        }
        if self.in_use { self.prefixes.last().cloned().unwrap_or_default() } else { Vec::new() }
    }

    fn name(&mut self, word: &Lexeme) {
        if self.joins && self.colons == 2 {
            if let Some(path) = self.paths.last_mut() {
                path.segments.push(word.text.clone());
            }
            return;
        }
        let mut segments = self.prefixes.last().cloned().unwrap_or_default();
        segments.push(word.text.clone());
        self.paths.push(NamedPath { segments, line: word.line, is_import: self.in_use });
    }

    fn rest(&mut self, joins: bool) {
        self.colons = 0;
        self.joins = joins;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let lexemes = Lexemes::of(text.parse().unwrap());
        lexemes.paths().into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn groups_of_use_are_spelled_out() {
        let read = paths("use a::{b, c::{d, e as f}, g};");
        assert_eq!(read, ["a::b", "a::c::d", "a::c::e", "a::c::as", "a::c::f", "a::g"]);
    }

    #[test]
    fn macro_arguments_and_leading_colons_are_read() {
        let read = paths("select! { x = ::reqwest::get(url) => y }");
        assert_eq!(read, ["select", "x", "reqwest::get", "url", "y"]);
    }

    #[test]
    fn a_block_does_not_lend_its_prefix() {
        assert_eq!(paths("a::B { c: d::e }"), ["a::B", "c", "d::e"]);
        assert_eq!(paths("fn f(x: a::B) { c::d() }"), ["fn", "f", "x", "a::B", "c::d"]);
    }

    #[test]
    fn literals_over_several_lines_are_known() {
        let lexemes = Lexemes::of("let a = \"x\ny\nz\";".parse().unwrap());
        assert_eq!(lexemes.long_literals, [1..=3]);
    }
}
