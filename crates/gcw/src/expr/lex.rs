//! The tokens of an expression.

use std::sync::Arc;

use crate::source::place::Span;

/// A token with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenKind {
    /// A whole number within 64 bits.
    Int(i64),
    /// Any other number.
    Double(f64),
    /// A string, unescaped.
    Text(Arc<str>),
    /// A name or a word.
    Name(Arc<str>),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The end.
    End,
}

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq)]
pub struct ExprError {
    /// Where.
    pub span: Span,
    /// Why: a lower-case fragment.
    pub message: String,
    /// What to write instead.
    pub suggestion: Option<String>,
}

impl ExprError {
    /// An error without a suggestion.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), suggestion: None }
    }

    /// The same error with a suggestion.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

/// Longest first, so that `//` is not read as `/`.
const SYMBOLS: [&str; 22] = [
    "==", "!=", "<=", ">=", "//", "+", "-", "*", "/", "%", "<", ">", "(", ")", "[", "]", "{", "}",
    ",", ":", ".", "=",
];

/// Cuts an expression into tokens; `base` is where it begins inside its scalar's text.
///
/// # Errors
/// A character that begins no token, an open string, a bad escape, a bad number.
pub fn tokens(text: &str, base: usize) -> Result<Vec<Token>, ExprError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let start = at;
        let kind = match first {
            '"' | '\'' => string(text, &mut at, base)?,
            '0'..='9' => number(text, &mut at, base)?,
            'a'..='z' | 'A'..='Z' | '_' => name(text, &mut at),
            _ => symbol(text, &mut at, base)?,
        };
        found.push(Token { kind, span: Span::new(base + start, base + at) });
    }
    found.push(Token { kind: TokenKind::End, span: Span::new(base + at, base + at) });
    Ok(found)
}

fn symbol(text: &str, at: &mut usize, base: usize) -> Result<TokenKind, ExprError> {
    let rest = &text[*at..];
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        *at += symbol.len();
        return Ok(TokenKind::Symbol(symbol));
    }
    let bad = rest.chars().next().unwrap_or(' ');
    let span = Span::new(base + *at, base + *at + bad.len_utf8());
    let error = ExprError::new(span, format!("token recognition error at: '{bad}'"));
    Err(match (bad, rest.get(..2)) {
        (_, Some("&&")) => error.suggest("write 'and'"),
        (_, Some("||")) => error.suggest("write 'or'"),
        ('!', _) => error.suggest("write 'not'"),
        ('?', _) => error.suggest("write if(condition, then, otherwise)"),
        ('$', _) => error.suggest("one ${…} holds the whole expression; join parts with +"),
        _ => error.suggest("a key with such a character is written in brackets: m[\"key\"]"),
    })
}

fn name(text: &str, at: &mut usize) -> TokenKind {
    let rest = &text[*at..];
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    *at += end;
    TokenKind::Name(rest[..end].into())
}

fn number(text: &str, at: &mut usize, base: usize) -> Result<TokenKind, ExprError> {
    let rest = &text[*at..];
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = digits(0);
    let mut is_double = false;
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        is_double = true;
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let power = digits((end + 1 + sign).min(bytes.len()));
        if power > 0 {
            is_double = true;
            end += 1 + sign + power;
        }
    }
    let span = Span::new(base + *at, base + *at + end);
    *at += end;
    let literal = &rest[..end];
    if rest[end..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return Err(ExprError::new(span, format!("a name cannot start with a digit: '{literal}'")));
    }
    if let (false, Ok(int)) = (is_double, literal.parse()) {
        return Ok(TokenKind::Int(int));
    }
    let double = literal.parse().map_err(|_| ExprError::new(span, "not a number"))?;
    Ok(TokenKind::Double(double))
}

fn string(text: &str, at: &mut usize, base: usize) -> Result<TokenKind, ExprError> {
    let start = *at;
    let mut chars = text[start..].char_indices();
    let Some((_, quote)) = chars.next() else {
        return Err(ExprError::new(Span::new(base, base), "a string was expected"));
    };
    let mut value = String::new();
    while let Some((offset, c)) = chars.next() {
        if c == quote {
            *at = start + offset + 1;
            return Ok(TokenKind::Text(value.into()));
        }
        if c != '\\' {
            value.push(c);
            continue;
        }
        let escape_end = |len: usize| Span::new(base + start + offset, base + start + offset + len);
        match chars.next() {
            Some((_, 'u')) => value.push(unicode(&mut chars).ok_or_else(|| {
                ExprError::new(escape_end(2), "\\u wants four hexadecimal digits")
            })?),
            Some((_, escaped)) => value.push(simple_escape(escaped, quote).ok_or_else(|| {
                let message = format!("token recognition error at: '\\{escaped}'");
                ExprError::new(escape_end(1 + escaped.len_utf8()), message)
                    .suggest("a backslash itself is written \\\\")
            })?),
            None => break,
        }
    }
    let span = Span::new(base + start, base + text.trim_end().len());
    Err(ExprError::new(span, "the string is not closed")
        .suggest(format!("add the missing {quote} at its end")))
}

fn simple_escape(escaped: char, quote: char) -> Option<char> {
    Some(match escaped {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        '\\' | '/' | '"' => escaped,
        other if other == quote => other,
        _ => return None,
    })
}

fn unicode(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    let first = hex4(chars)?;
    if !(0xd800..0xdc00).contains(&first) {
        return char::from_u32(first);
    }
    if chars.next()?.1 != '\\' || chars.next()?.1 != 'u' {
        return None;
    }
    let second = hex4(chars)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
}

fn hex4(chars: &mut std::str::CharIndices<'_>) -> Option<u32> {
    (0..4).try_fold(0, |sum, _| Some(sum * 16 + chars.next()?.1.to_digit(16)?))
}
