//! Tokens to the tree, by precedence. The height of the tree is bounded.
//!
//! Precedence, high to low \[D\]: `( )` · `.` · `[ ]` · `not` · unary `-` · `* / // %` · `+ -` ·
//! comparisons and `in` · `and` · `or`.

use std::sync::Arc;

use super::ast::{BinaryOp, Expr, ExprKind};
use super::lex::{ExprError, Token, TokenKind, tokens};
use crate::limits::Limits;
use crate::source::place::Span;
use crate::value::Value;

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    depth: u64,
    limits: &'a Limits,
}

/// A tree and its height.
type Tree = (Expr, u64);

/// Whether a scalar is meant as an expression: it begins with `${`.
#[must_use]
pub fn is_expression(text: &str) -> bool {
    text.trim_start().starts_with("${")
}

/// Reads a whole scalar `${ … }`.
///
/// # Errors
/// The first thing that is wrong, with its place inside the scalar's text.
pub fn expression(text: &str, limits: &Limits) -> Result<Expr, ExprError> {
    let start = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    let span = Span::new(start, start + trimmed.len());
    let Some(inner) = trimmed.strip_prefix("${") else {
        return Err(ExprError::new(span, "an expression is written ${…}"));
    };
    let Some(inner) = inner.strip_suffix('}') else {
        let error = ExprError::new(span, "the expression has no closing '}'");
        return Err(match trimmed.contains('}') {
            true => error.suggest("one ${…} holds the whole expression; join parts with +"),
            false => error.suggest("add the missing } at its end"),
        });
    };
    let chars = trimmed.chars().count() as u64;
    if chars > limits.expression_chars {
        let limit = limits.expression_chars;
        let message = format!("an expression of {chars} characters is over the limit of {limit}");
        return Err(ExprError::new(span, message).suggest("split it over several assignments"));
    }
    bare(inner, start + 2, limits)
}

/// Reads an expression without `${` and `}`; `base` is where it begins inside its scalar.
///
/// # Errors
/// As [`expression`].
pub fn bare(text: &str, base: usize, limits: &Limits) -> Result<Expr, ExprError> {
    let tokens = tokens(text, base)?;
    let mut parser = Parser { tokens, at: 0, depth: 0, limits };
    if parser.peek() == &TokenKind::End {
        return Err(ExprError::new(parser.span(), "the expression is empty"));
    }
    let (expr, _) = parser.binary(1)?;
    match parser.peek() {
        TokenKind::End => Ok(expr),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

impl Parser<'_> {
    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    fn advance(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len() - 1);
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Symbol(s) if *s == symbol);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &'static str) -> Result<Span, ExprError> {
        let span = self.span();
        if self.eat(symbol) { Ok(span) } else { Err(self.unexpected(&format!("'{symbol}'"))) }
    }

    fn eat_word(&mut self, lower: &str, upper: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Name(n) if &**n == lower || &**n == upper);
        if found {
            self.advance();
        }
        found
    }

    fn unexpected(&self, expected: &str) -> ExprError {
        let found = match self.peek() {
            TokenKind::End => "the end of the expression".to_owned(),
            TokenKind::Int(number) => format!("'{number}'"),
            TokenKind::Double(number) => format!("'{number}'"),
            TokenKind::Text(_) => "a string".to_owned(),
            TokenKind::Name(name) => format!("'{name}'"),
            TokenKind::Symbol(symbol) => format!("'{symbol}'"),
        };
        let error = ExprError::new(self.span(), format!("unexpected {found}, expected {expected}"));
        match self.peek() {
            TokenKind::Symbol("=") => error.suggest("equality is written =="),
            TokenKind::Symbol("}") => {
                error.suggest("one ${…} holds the whole expression; join parts with +")
            }
            TokenKind::Name(name) if &**name == "not" => {
                error.suggest("'not in' is not an operator; write not (a in b)")
            }
            _ => error,
        }
    }

    fn node(&self, kind: ExprKind, span: Span, height: u64) -> Result<Tree, ExprError> {
        if height > self.limits.expression_depth {
            let limit = self.limits.expression_depth;
            let message = format!("nested deeper than the limit of {limit} levels");
            return Err(ExprError::new(span, message).suggest("split the expression"));
        }
        Ok((Expr { kind, span }, height))
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ExprError>,
    ) -> Result<T, ExprError> {
        self.depth += 1;
        if self.depth > self.limits.expression_depth {
            let limit = self.limits.expression_depth;
            let message = format!("nested deeper than the limit of {limit} levels");
            return Err(ExprError::new(self.span(), message));
        }
        let answer = read(self);
        self.depth -= 1;
        answer
    }

    fn operator(&self) -> Option<BinaryOp> {
        Some(match self.peek() {
            TokenKind::Symbol(symbol) => match *symbol {
                "==" => BinaryOp::Equal,
                "!=" => BinaryOp::NotEqual,
                "<" => BinaryOp::Less,
                "<=" => BinaryOp::LessEqual,
                ">" => BinaryOp::Greater,
                ">=" => BinaryOp::GreaterEqual,
                "+" => BinaryOp::Add,
                "-" => BinaryOp::Subtract,
                "*" => BinaryOp::Multiply,
                "/" => BinaryOp::Divide,
                "//" => BinaryOp::FloorDivide,
                "%" => BinaryOp::Remainder,
                _ => return None,
            },
            TokenKind::Name(name) => match &**name {
                "or" | "OR" => BinaryOp::Or,
                "and" | "AND" => BinaryOp::And,
                "in" => BinaryOp::In,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn binary(&mut self, lowest: u8) -> Result<Tree, ExprError> {
        let (mut left, mut height) = self.deeper(Self::unary)?;
        while let Some(operator) = self.operator() {
            let precedence = operator.precedence();
            if precedence < lowest {
                break;
            }
            self.advance();
            let (right, right_height) = self.deeper(|parser| parser.binary(precedence + 1))?;
            let span = left.span.to(right.span);
            let kind = ExprKind::Binary(operator, Box::new(left), Box::new(right));
            (left, height) = self.node(kind, span, height.max(right_height) + 1)?;
        }
        Ok((left, height))
    }

    fn unary(&mut self) -> Result<Tree, ExprError> {
        let start = self.span();
        if self.eat_word("not", "NOT") {
            return self.not(start);
        }
        if self.eat("-") {
            let (operand, height) = self.deeper(Self::unary)?;
            let span = start.to(operand.span);
            if let ExprKind::Literal(Value::Double(number)) = operand.kind {
                // The one integer whose opposite does not fit reads as a double; give it back.
                let kind = match number == 9_223_372_036_854_775_808.0 {
                    true => Value::Int(i64::MIN),
                    false => Value::Double(-number),
                };
                return self.node(ExprKind::Literal(kind), span, 1);
            }
            return self.node(ExprKind::Negate(Box::new(operand)), span, height + 1);
        }
        self.postfix()
    }

    fn not(&mut self, start: Span) -> Result<Tree, ExprError> {
        let is_prefix = matches!(self.peek(), TokenKind::Symbol("-"))
            || matches!(self.peek(), TokenKind::Name(n) if matches!(&**n, "not" | "NOT"));
        let (operand, height) = if is_prefix { self.deeper(Self::unary)? } else { self.postfix()? };
        let span = start.to(operand.span);
        self.node(ExprKind::Not(Box::new(operand)), span, height + 1)
    }

    fn postfix(&mut self) -> Result<Tree, ExprError> {
        let (mut expr, mut height) = self.primary()?;
        loop {
            let start = expr.span;
            let (kind, end, inner) = if self.eat(".") {
                let end = self.span();
                let TokenKind::Name(name) = self.peek().clone() else {
                    return Err(self.unexpected("a key's name"));
                };
                self.advance();
                (ExprKind::Member(Box::new(expr), name), end, 0)
            } else if self.eat("[") {
                self.index(expr)?
            } else if matches!(self.peek(), TokenKind::Symbol("(")) {
                self.call(expr)?
            } else {
                return Ok((expr, height));
            };
            (expr, height) = self.node(kind, start.to(end), height.max(inner) + 1)?;
        }
    }

    fn index(&mut self, whole: Expr) -> Result<(ExprKind, Span, u64), ExprError> {
        let is_open = matches!(self.peek(), TokenKind::Symbol(":"));
        let (from, height) = if is_open { (None, 0) } else { self.end_of_slice()? };
        if !self.eat(":") {
            let end = self.expect("]")?;
            let index = from.ok_or_else(|| self.unexpected("a value"))?;
            return Ok((ExprKind::Index(Box::new(whole), index), end, height));
        }
        let is_open = matches!(self.peek(), TokenKind::Symbol("]"));
        let (to, to_height) = if is_open { (None, 0) } else { self.end_of_slice()? };
        let end = self.expect("]")?;
        Ok((ExprKind::Slice(Box::new(whole), from, to), end, height.max(to_height)))
    }

    fn end_of_slice(&mut self) -> Result<(Option<Box<Expr>>, u64), ExprError> {
        let (expr, height) = self.deeper(|parser| parser.binary(1))?;
        Ok((Some(Box::new(expr)), height))
    }

    fn call(&mut self, callee: Expr) -> Result<(ExprKind, Span, u64), ExprError> {
        let Some(name) = callee.path() else {
            return Err(ExprError::new(
                callee.span,
                "only a function or subworkflow can be called",
            ));
        };
        self.advance();
        let (arguments, end, height) = self.items(")")?;
        Ok((ExprKind::Call(name.into(), callee.span, arguments), end, height))
    }

    fn items(&mut self, close: &'static str) -> Result<(Vec<Expr>, Span, u64), ExprError> {
        let mut items = Vec::new();
        let mut height = 0;
        let end = self.span();
        if self.eat(close) {
            return Ok((items, end, height));
        }
        loop {
            let (item, inner) = self.deeper(|parser| parser.binary(1))?;
            items.push(item);
            height = height.max(inner);
            if !self.eat(",") {
                return Ok((items, self.expect(close)?, height));
            }
        }
    }

    fn primary(&mut self) -> Result<Tree, ExprError> {
        let span = self.span();
        let literal = |value: Value| ExprKind::Literal(value);
        let kind = match self.peek().clone() {
            TokenKind::Int(number) => literal(Value::Int(number)),
            TokenKind::Double(number) => literal(Value::Double(number)),
            TokenKind::Text(text) => literal(Value::String(text)),
            TokenKind::Name(name) => self.name(name)?,
            TokenKind::Symbol("(") => {
                self.advance();
                let (inner, height) = self.deeper(|parser| parser.binary(1))?;
                let end = self.expect(")")?;
                return Ok((Expr { kind: inner.kind, span: span.to(end) }, height));
            }
            TokenKind::Symbol("[") => {
                self.advance();
                let (items, end, height) = self.items("]")?;
                return self.node(ExprKind::List(items), span.to(end), height + 1);
            }
            TokenKind::Symbol("{") => return self.map(span),
            _ => return Err(self.unexpected("a value")),
        };
        self.advance();
        self.node(kind, span, 1)
    }

    fn name(&self, name: Arc<str>) -> Result<ExprKind, ExprError> {
        Ok(match &*name {
            "true" | "True" | "TRUE" => ExprKind::Literal(Value::Bool(true)),
            "false" | "False" | "FALSE" => ExprKind::Literal(Value::Bool(false)),
            "null" => ExprKind::Literal(Value::Null),
            "and" | "AND" | "or" | "OR" | "in" | "not" | "NOT" => {
                return Err(self.unexpected("a value"));
            }
            _ => ExprKind::Name(name),
        })
    }

    fn map(&mut self, start: Span) -> Result<Tree, ExprError> {
        self.advance();
        let mut entries = Vec::new();
        let mut height = 0;
        let end = self.span();
        if self.eat("}") {
            return self.node(ExprKind::Map(entries), start.to(end), 1);
        }
        loop {
            let (key, key_height) = self.deeper(|parser| parser.binary(1))?;
            self.expect(":")?;
            let (value, value_height) = self.deeper(|parser| parser.binary(1))?;
            entries.push((key, value));
            height = height.max(key_height).max(value_height);
            if !self.eat(",") {
                let end = self.expect("}")?;
                return self.node(ExprKind::Map(entries), start.to(end), height + 1);
            }
        }
    }
}
