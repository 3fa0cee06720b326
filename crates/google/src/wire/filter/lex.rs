//! The words of a filter.

use super::super::Error;

/// A word of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// Text without quotes.
    Bare(String),
    /// Text within quotes.
    Quoted(String),
    /// A comparator.
    Compare(&'static str),
    /// A sign: a bracket, a comma, a point, a minus before a term.
    Sign(char),
}

const COMPARATORS: [&str; 7] = ["<=", ">=", "!=", "<", ">", "=", ":"];

/// Cuts a filter into words.
///
/// What follows a comparator is a value, in which `:`, `.` and `-` are letters like any other.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Error> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(letter) = rest.chars().next() {
        let is_value = matches!(words.last(), Some(Word::Compare(_)));
        let after = &rest[letter.len_utf8()..];
        let comparator = COMPARATORS.into_iter().find(|it| rest.starts_with(it));
        if matches!(letter, '"' | '\'') {
            let (quoted, left) = quoted(after, letter)?;
            words.push(Word::Quoted(quoted));
            rest = left;
        } else if let Some(comparator) = comparator.filter(|_| !is_value) {
            words.push(Word::Compare(comparator));
            rest = &rest[comparator.len()..];
        } else if matches!(letter, '(' | ')' | ',') || (!is_value && matches!(letter, '.' | '-')) {
            words.push(Word::Sign(letter));
            rest = after;
        } else {
            let end = rest.find(|c| ends_bare(c, is_value)).unwrap_or(rest.len());
            words.push(Word::Bare(rest[..end.max(letter.len_utf8())].to_owned()));
            rest = &rest[end.max(letter.len_utf8())..];
        }
        rest = rest.trim_start();
    }
    Ok(words)
}

fn ends_bare(letter: char, is_value: bool) -> bool {
    letter.is_whitespace()
        || matches!(letter, '(' | ')' | ',' | '"' | '\'')
        || (!is_value && matches!(letter, '.' | ':' | '<' | '>' | '=' | '!'))
}

/// The text up to the closing quote, and what is left after it.
fn quoted(text: &str, quote: char) -> Result<(String, &str), Error> {
    let mut read = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => read.extend(letters.next().map(|(_, escaped)| escaped)),
            letter if letter == quote => return Ok((read, &text[at + 1..])),
            letter => read.push(letter),
        }
    }
    Err(Error::invalid("invalid filter: a quote is not closed"))
}
