//! From the words of a filter to its tree, checked against the fields.

use std::str::FromStr;

use jobmill_model::Timestamp;

use super::super::field::{self, Datum, Field, Kind};
use super::super::{Error, duration};
use super::lex::{Word, words};
use super::{Comparator, DEPTH, Node, Restriction, Wanted};

struct Parser {
    words: std::iter::Peekable<std::vec::IntoIter<Word>>,
    schema: &'static [Field],
    depth: usize,
}

pub(super) fn filter(text: &str, schema: &'static [Field]) -> Result<Option<Node>, Error> {
    let words = words(text)?.into_iter().peekable();
    let mut parser = Parser { words, schema, depth: 0 };
    if parser.words.peek().is_none() {
        return Ok(None);
    }
    let node = parser.all()?;
    match parser.words.next() {
        None => Ok(Some(node)),
        Some(word) => Err(unexpected(Some(&word))),
    }
}

fn refuse(message: impl std::fmt::Display) -> Error {
    Error::invalid(format!("invalid filter: {message}"))
}

fn unexpected(word: Option<&Word>) -> Error {
    match word {
        None => refuse("unexpected end"),
        Some(Word::Bare(text)) => refuse(format!("unexpected `{text}`")),
        Some(Word::Quoted(text)) => refuse(format!("unexpected {text:?}")),
        Some(Word::Compare(text)) => refuse(format!("unexpected `{text}`")),
        Some(Word::Sign(letter)) => refuse(format!("unexpected `{letter}`")),
    }
}

impl Parser {
    fn is_next(&mut self, keyword: &str) -> bool {
        matches!(self.words.peek(), Some(Word::Bare(text)) if text == keyword)
    }

    fn is_sign(&mut self, sign: char) -> bool {
        self.words.peek() == Some(&Word::Sign(sign))
    }

    /// Terms joined by `AND`, or by nothing.
    fn all(&mut self) -> Result<Node, Error> {
        let mut nodes = vec![self.any()?];
        loop {
            if self.is_next("AND") {
                self.words.next();
            } else if self.words.peek().is_none() || self.is_sign(')') {
                break;
            }
            nodes.push(self.any()?);
        }
        Ok(joined(nodes, Node::All))
    }

    /// Terms joined by `OR`.
    fn any(&mut self) -> Result<Node, Error> {
        let mut nodes = vec![self.term()?];
        while self.is_next("OR") {
            self.words.next();
            nodes.push(self.term()?);
        }
        Ok(joined(nodes, Node::Any))
    }

    fn term(&mut self) -> Result<Node, Error> {
        if self.depth >= DEPTH {
            return Err(refuse(format!("brackets and `NOT` go too deep, at most {DEPTH} levels")));
        }
        self.depth += 1;
        let node = if self.is_next("NOT") || self.is_sign('-') {
            self.words.next();
            Node::Not(Box::new(self.term()?))
        } else if self.is_sign('(') {
            self.words.next();
            let node = self.all()?;
            match self.words.next() {
                Some(Word::Sign(')')) => node,
                _ => return Err(refuse("expected `)`")),
            }
        } else {
            Node::Is(self.restriction()?)
        };
        self.depth -= 1;
        Ok(node)
    }

    fn restriction(&mut self) -> Result<Restriction, Error> {
        let name = self.name()?;
        let field = field::find(self.schema, &name).ok_or_else(|| {
            let known = field::names(self.schema);
            let searched = !matches!(self.words.peek(), Some(Word::Compare(_) | Word::Sign('.')));
            match searched {
                true => refuse(format!("expected a comparison after {name:?}")),
                false => refuse(format!("unknown field {name:?}; known are {known}")),
            }
        })?;
        let mut key = None;
        if self.is_sign('.') {
            self.words.next();
            key = Some(self.name()?);
            if !matches!(field.kind, Kind::Texts) {
                return Err(refuse(format!("{} has no fields of its own", field.name)));
            }
        }
        let sign = match self.words.next() {
            Some(Word::Compare(sign)) => sign,
            _ => return Err(refuse(format!("expected a comparison after {name:?}"))),
        };
        let comparator = comparator(sign);
        let wanted = self.wanted(field, key.is_some(), comparator, sign)?;
        Ok(Restriction { field, key, comparator, wanted })
    }

    fn name(&mut self) -> Result<String, Error> {
        match self.words.next() {
            Some(Word::Bare(text)) if !matches!(&*text, "AND" | "OR" | "NOT") => Ok(text),
            Some(Word::Quoted(text)) => Ok(text),
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn wanted(
        &mut self,
        field: &Field,
        has_key: bool,
        comparator: Comparator,
        sign: &str,
    ) -> Result<Wanted, Error> {
        let text = match self.words.next() {
            Some(Word::Bare(text) | Word::Quoted(text)) => text,
            _ => return Err(refuse(format!("expected a value after `{sign}`"))),
        };
        let name = field.name;
        let compares =
            !matches!(comparator, Comparator::Equal | Comparator::Unequal | Comparator::Has);
        match field.kind {
            Kind::Word(_) | Kind::Flag if compares => {
                return Err(refuse(format!("{name} cannot be compared with `{sign}`")));
            }
            Kind::Texts if !has_key && comparator != Comparator::Has => {
                let message = format!("{name} is asked as `{name}.KEY = VALUE` or `{name}:KEY`");
                return Err(refuse(message));
            }
            _ => {}
        }
        if text == "*" && comparator == Comparator::Has {
            return Ok(Wanted::Something);
        }
        value(field, text, compares)
    }
}

fn joined(mut nodes: Vec<Node>, join: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match nodes.len() {
        1 => nodes.remove(0),
        _ => join(nodes),
    }
}

fn comparator(sign: &str) -> Comparator {
    match sign {
        "=" => Comparator::Equal,
        "!=" => Comparator::Unequal,
        "<" => Comparator::Less,
        "<=" => Comparator::LessOrEqual,
        ">" => Comparator::Greater,
        ">=" => Comparator::GreaterOrEqual,
        _ => Comparator::Has,
    }
}

/// Reads a value as what its field holds.
fn value(field: &Field, text: String, compares: bool) -> Result<Wanted, Error> {
    let wrong = |what: &str| refuse(format!("{text:?} is {what}, which {} holds", field.name));
    let datum = match field.kind {
        Kind::Text | Kind::Texts => return like(text, compares),
        Kind::Word(words) => {
            let word = words.iter().find(|word| **word == text).ok_or_else(|| {
                refuse(format!("unknown value {text:?}; known are {}", words.join(", ")))
            })?;
            Datum::Text((*word).into())
        }
        Kind::Time => Datum::Time(time(&text).ok_or_else(|| wrong("not a time"))?),
        Kind::Duration => {
            let span = duration::read(&text);
            Datum::Duration(span.ok_or_else(|| wrong("not a duration such as 1.5s"))?)
        }
        Kind::Number => {
            Datum::Number(i64::from_str(&text).map_err(|_| wrong("not a whole number"))?)
        }
        Kind::Flag => match text.as_str() {
            "true" => Datum::Flag(true),
            "false" => Datum::Flag(false),
            _ => return Err(wrong("neither true nor false")),
        },
    };
    Ok(Wanted::Value(datum))
}

fn like(text: String, compares: bool) -> Result<Wanted, Error> {
    let (before, after) = (text.starts_with('*'), text.len() > 1 && text.ends_with('*'));
    if !before && !after {
        return Ok(Wanted::Value(Datum::from(text)));
    }
    if compares {
        return Err(refuse("a `*` can be compared only with `=`, `!=` and `:`"));
    }
    let inner = text.strip_prefix('*').unwrap_or(&text);
    let inner = if after { inner.strip_suffix('*').unwrap_or(inner) } else { inner };
    Ok(Wanted::Like { text: inner.to_owned(), before, after })
}

/// A time of RFC 3339, or a date, which means its beginning in UTC.
fn time(text: &str) -> Option<Timestamp> {
    let whole = [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")];
    whole.iter().find_map(|text| text.parse().ok())
}
