//! Values with expressions in them, and single expressions.

use std::sync::Arc;

use super::Parser;
use crate::ast::{Key, Name, Target, TargetKey, Template, TemplateKind};
use crate::expr::ast::{Expr, ExprKind};
use crate::expr::lex::ExprError;
use crate::expr::parse;
use crate::limits::Limits;
use crate::source::offsets::Offsets;
use crate::source::place::Span;
use crate::source::{Entry, Kind, Node, Style, Text};
use crate::value::Value;

/// Whether a text can name a variable.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reads one expression with places in the source `slice` that its scalar came from.
///
/// # Errors
/// As [`parse::expression`], with the place in the source.
pub fn expr_of(
    text: &Text,
    slice: &str,
    span: Span,
    limits: &Limits,
    is_bare: bool,
) -> Result<Expr, ExprError> {
    let offsets = Offsets::new(&text.value, slice, text.style, span);
    let read = match is_bare {
        true => parse::bare(&text.value, 0, limits),
        false => parse::expression(&text.value, limits),
    };
    match read {
        Ok(mut expr) => {
            relocate(&mut expr, &offsets);
            Ok(expr)
        }
        Err(mut error) => {
            error.span = offsets.map(error.span);
            Err(error)
        }
    }
}

fn relocate(expr: &mut Expr, offsets: &Offsets) {
    expr.span = offsets.map(expr.span);
    match &mut expr.kind {
        ExprKind::Literal(_) | ExprKind::Name(_) => {}
        ExprKind::Member(inner, _) | ExprKind::Not(inner) | ExprKind::Negate(inner) => {
            relocate(inner, offsets);
        }
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) => {
            relocate(a, offsets);
            relocate(b, offsets);
        }
        ExprKind::Slice(whole, from, to) => {
            relocate(whole, offsets);
            from.iter_mut().chain(to).for_each(|end| relocate(end, offsets));
        }
        ExprKind::List(items) => items.iter_mut().for_each(|item| relocate(item, offsets)),
        ExprKind::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            relocate(key, offsets);
            relocate(value, offsets);
        }),
        ExprKind::Call(_, span, items) => {
            *span = offsets.map(*span);
            items.iter_mut().for_each(|item| relocate(item, offsets));
        }
    }
}

impl Parser<'_, '_> {
    pub(super) fn template(&mut self, node: &Node) -> Template {
        let kind = match &node.kind {
            Kind::Null => TemplateKind::Literal(Value::Null),
            Kind::Bool(value) => TemplateKind::Literal(Value::Bool(*value)),
            Kind::Int(value) => TemplateKind::Literal(Value::Int(*value)),
            Kind::Double(value) => TemplateKind::Literal(Value::Double(*value)),
            Kind::Text(text) => self.text(text, node.span),
            Kind::List(items) => self.list(items),
            Kind::Map(entries) => self.map(entries),
        };
        Template { kind, span: node.span }
    }

    fn text(&mut self, text: &Text, span: Span) -> TemplateKind {
        let literal = TemplateKind::Literal(Value::String(text.value.clone()));
        if !parse::is_expression(&text.value) {
            if text.value.contains("${") && text.style != Style::Block {
                let message = "text around ${…} is not interpolated; this is a literal string";
                self.report.warning("no-interpolation", span, message).suggestion =
                    Some("make one expression of it: ${\"text\" + x}".to_owned());
            }
            return literal;
        }
        match self.expr(text, span) {
            Some(expr) => TemplateKind::Expr(expr),
            // Reported; `true` fits wherever a later check looks at literals.
            None => TemplateKind::Literal(Value::Bool(true)),
        }
    }

    /// Reads `${…}`; reports what is wrong with it.
    pub(super) fn expr(&mut self, text: &Text, span: Span) -> Option<Expr> {
        if self.cut_at_comment(text, span) {
            return None;
        }
        let slice = self.report.lines().slice(span);
        match expr_of(text, slice, span, self.limits, false) {
            Ok(expr) => Some(expr),
            Err(error) => {
                self.bad_expression(error);
                None
            }
        }
    }

    fn bad_expression(&mut self, error: ExprError) {
        let found = self.report.error("expression", error.span, error.message);
        found.suggestion = error.suggestion;
        found.while_doing = Some("error parsing expression".to_owned());
    }

    /// An unquoted expression that holds ` #` ends there, silently.
    fn cut_at_comment(&mut self, text: &Text, span: Span) -> bool {
        if text.style != Style::Plain || text.value.trim_end().ends_with('}') {
            return false;
        }
        let line = self.report.lines().line_text(span.end.saturating_sub(1));
        let line_start = self.report.lines().line_start(span.end.saturating_sub(1));
        let cut = (span.end - line_start) as usize;
        let rest = line.get(cut..).unwrap_or("");
        if !rest.trim_start().starts_with('#') || !rest.starts_with([' ', '\t']) {
            return false;
        }
        let first = (span.start.max(line_start) - line_start) as usize;
        let whole = line.get(first..).unwrap_or("").trim_end();
        let found = self.report.error(
            "expression-cut",
            Span::new(span.start as usize, line_start as usize + line.trim_end().len()),
            "the expression is cut at ' #', which begins a YAML comment",
        );
        found.suggestion = Some(match whole.ends_with('}') {
            true => format!("quote the whole expression: '{}'", whole.replace('\'', "''")),
            false => "quote the whole expression".to_owned(),
        });
        true
    }

    fn list(&mut self, items: &[Node]) -> TemplateKind {
        let items: Vec<Template> = items.iter().map(|item| self.template(item)).collect();
        let values: Option<Vec<Value>> = items.iter().map(literal).collect();
        match values {
            Some(values) => TemplateKind::Literal(Value::list(values)),
            None => TemplateKind::List(items),
        }
    }

    fn map(&mut self, entries: &[Entry]) -> TemplateKind {
        let entries: Vec<(Key, Template)> =
            entries.iter().map(|entry| (self.key(entry), self.template(&entry.value))).collect();
        let values: Option<Vec<(Arc<str>, Value)>> = entries
            .iter()
            .map(|(key, value)| match key {
                Key::Text(key) => Some((key.clone(), literal(value)?)),
                Key::Expr(..) => None,
            })
            .collect();
        match values {
            Some(values) => TemplateKind::Literal(Value::map(values)),
            None => TemplateKind::Map(entries),
        }
    }

    fn key(&mut self, entry: &Entry) -> Key {
        if parse::is_expression(&entry.key.value)
            && let Some(expr) = self.expr(&entry.key, entry.key_span)
        {
            return Key::Expr(expr, entry.key_span);
        }
        Key::Text(entry.key.value.clone())
    }

    /// Reads the left side of an assignment: `x`, `m.key`, `m["k"]`, `l[i + 1]`.
    pub(super) fn target(&mut self, text: &Text, span: Span) -> Option<Target> {
        if parse::is_expression(&text.value) {
            let message = "the target of an assignment is a name, not an expression";
            self.report.error("bad-target", span, message).suggestion =
                Some("write the name without ${}; an index may be an expression: m[k]".to_owned());
            return None;
        }
        let slice = self.report.lines().slice(span);
        let mut expr = match expr_of(text, slice, span, self.limits, true) {
            Ok(expr) => expr,
            Err(error) => {
                let message = format!("'{}' cannot be assigned: {}", text.value, error.message);
                let found = self.report.error("bad-target", error.span, message);
                found.suggestion = error.suggestion;
                return None;
            }
        };
        let mut keys = Vec::new();
        loop {
            let place = expr.span;
            match expr.kind {
                ExprKind::Member(inner, key) => {
                    keys.push(TargetKey::Name(key));
                    expr = *inner;
                }
                ExprKind::Index(inner, index) => {
                    keys.push(TargetKey::Expr(*index));
                    expr = *inner;
                }
                ExprKind::Name(name) => {
                    keys.reverse();
                    return Some(Target { name: Name { text: name, span: place }, keys });
                }
                _ => {
                    let message = format!("'{}' cannot be assigned", text.value);
                    self.report.error("bad-target", span, message);
                    return None;
                }
            }
        }
    }
}

fn literal(template: &Template) -> Option<Value> {
    match &template.kind {
        TemplateKind::Literal(value) => Some(value.clone()),
        _ => None,
    }
}
