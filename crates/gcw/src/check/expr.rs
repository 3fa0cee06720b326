//! Expressions: names to slots, functions to the library. A call that may wait — a subworkflow,
//! the clock, a connector — becomes an operation before the one that needs its answer, so that
//! the machine can stop inside an expression; `and`, `or` and `if` stay lazy.

use std::sync::Arc;

use super::{Checker, survey};
use crate::ast::{Key, Template, TemplateKind};
use crate::connectors;
use crate::diagnostic::{Diagnostic, nearest};
use crate::expr::ast::{BinaryOp, Expr as Ast, ExprKind};
use crate::program::{CallArgs, ConnectorOp, Expr, Op, RoutineCall, VarRef};
use crate::source::place::{Position, Span};
use crate::stdlib::{self, Body, Function};
use crate::value::Value;

impl Checker<'_, '_> {
    /// Whether a called name stops the expression that calls it.
    pub(super) fn is_suspending(&self, name: &str) -> bool {
        self.routines.contains_key(name)
            || connectors::parse(name).is_some()
            || stdlib::find(name).is_some_and(|function| matches!(function.body, Body::Clock))
    }

    /// A value with expressions in it; `doing` is the context of its errors.
    pub(super) fn template(&mut self, template: &Template, doing: &'static str) -> Expr {
        let outer = std::mem::replace(&mut self.doing, doing);
        let expr = self.template_part(template);
        self.doing = outer;
        expr
    }

    fn template_part(&mut self, template: &Template) -> Expr {
        match &template.kind {
            TemplateKind::Literal(value) => Expr::Const(value.clone()),
            TemplateKind::Expr(expr) => {
                let inner = self.expr(expr);
                Expr::At(self.position(template.span), Box::new(inner))
            }
            TemplateKind::List(items) => {
                Expr::List(items.iter().map(|item| self.template_part(item)).collect())
            }
            TemplateKind::Map(entries) => Expr::Map(
                entries
                    .iter()
                    .map(|(key, value)| (self.key(key), self.template_part(value)))
                    .collect(),
            ),
        }
    }

    fn key(&mut self, key: &Key) -> Expr {
        match key {
            Key::Text(text) => Expr::Const(Value::String(text.clone())),
            Key::Expr(expr, span) => {
                let inner = self.expr(expr);
                Expr::At(self.position(*span), Box::new(inner))
            }
        }
    }

    fn complain(&mut self, code: &'static str, span: Span, message: String) -> &mut Diagnostic {
        let doing = self.doing;
        let found = self.report.error(code, span, message);
        found.while_doing = (!doing.is_empty()).then(|| doing.to_owned());
        found
    }

    pub(super) fn expr(&mut self, expr: &Ast) -> Expr {
        match &expr.kind {
            ExprKind::Literal(value) => Expr::Const(value.clone()),
            ExprKind::Name(name) => self.symbol(name, expr.span),
            ExprKind::Member(inner, key) => self.member(expr, inner, key),
            ExprKind::Index(whole, key) => {
                let whole = self.expr(whole);
                Expr::Index(Box::new((whole, self.expr(key))))
            }
            ExprKind::Slice(whole, from, to) => {
                let message = "slices are not documented by Google";
                self.report.warning("slice", expr.span, message).suggestion =
                    Some("text.substring(…) is the documented way for strings".to_owned());
                let whole = self.expr(whole);
                let from = from.as_ref().map(|end| self.expr(end));
                let to = to.as_ref().map(|end| self.expr(end));
                Expr::Slice(Box::new((whole, from, to)))
            }
            ExprKind::List(items) => Expr::List(items.iter().map(|item| self.expr(item)).collect()),
            ExprKind::Map(entries) => Expr::Map(
                entries.iter().map(|(key, value)| (self.expr(key), self.expr(value))).collect(),
            ),
            ExprKind::Not(inner) => Expr::Not(Box::new(self.expr(inner))),
            ExprKind::Negate(inner) => match self.expr(inner) {
                Expr::Const(Value::Int(number)) if number != i64::MIN => {
                    Expr::Const(Value::Int(-number))
                }
                other => Expr::Negate(Box::new(other)),
            },
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::Call(name, span, args) => self.call_in_expr(name, *span, args, expr.span),
        }
    }

    fn symbol(&mut self, name: &Arc<str>, span: Span) -> Expr {
        if let Some(found) = self.lookup(name) {
            return Expr::Var(found.var);
        }
        if self.routines.contains_key(name) {
            let message = format!("sub-workflow '{name}' is not a value");
            self.complain("routine-as-value", span, message).suggestion =
                Some(format!("call it: {name}(…)"));
        } else {
            self.unknown_symbol(name, span);
        }
        Expr::Unknown(name.clone())
    }

    fn unknown_symbol(&mut self, name: &str, span: Span) {
        let near = self.nearest_symbol(name);
        let is_hidden = self.names.contains(name);
        // The wording of the real service. [D]
        let message = format!("symbol '{name}' is neither a variable nor a sub-workflow name");
        let found = self.complain("unknown-symbol", span, message);
        found.suggestion = match near {
            Some(near) => Some(format!("did you mean '{near}'?")),
            None if is_hidden => {
                Some(format!("'{name}' belongs to a loop, a branch, a handler or another routine"))
            }
            None => None,
        };
    }

    /// `a.b`. Google's own cheat sheet deploys with a root that nothing assigns, so that alone is
    /// a warning; it is an error where a visible name is near. \[S\]
    fn member(&mut self, whole: &Ast, inner: &Ast, key: &Arc<str>) -> Expr {
        if let ExprKind::Name(root) = &inner.kind
            && self.lookup(root).is_none()
        {
            let path = whole.path().unwrap_or_default();
            if path == stdlib::retry::DEFAULT_BACKOFF {
                return Expr::Const(stdlib::retry::default_backoff());
            }
            if stdlib::is_area(root) || stdlib::find(&path).is_some() {
                let message = format!("'{path}' is a function, not a value");
                self.complain("function-as-value", whole.span, message);
            } else if self.names.contains(root)
                || self.routines.contains_key(root)
                || self.nearest_symbol(root).is_some()
            {
                self.unknown_symbol(root, inner.span);
            } else {
                let message = format!("symbol '{root}' is never assigned; reading it fails");
                self.report.warning("unassigned", inner.span, message);
            }
            return Expr::Member(Box::new(Expr::Unknown(root.clone())), key.clone());
        }
        Expr::Member(Box::new(self.expr(inner)), key.clone())
    }

    fn binary(&mut self, op: BinaryOp, left: &Ast, right: &Ast) -> Expr {
        let is_lazy = matches!(op, BinaryOp::And | BinaryOp::Or);
        if !is_lazy || !survey::expr_suspends(right, &|name| self.is_suspending(name)) {
            let left = self.expr(left);
            return Expr::Binary(op, Box::new((left, self.expr(right))));
        }
        // answer = left; unless it decides: answer = right
        let answer = self.temporary();
        let (position, neutral) = (self.position(left.span), op == BinaryOp::And);
        let first = self.expr(left);
        let first = Expr::Binary(op, Box::new((first, Expr::Const(Value::Bool(neutral)))));
        self.emit(Op::Assign(answer, first, position));
        let end = self.label();
        let go_on = match op {
            BinaryOp::And => Expr::Var(answer),
            _ => Expr::Not(Box::new(Expr::Var(answer))),
        };
        self.emit(Op::Unless(go_on, end, position));
        let position = self.position(right.span);
        let second = self.expr(right);
        let second = Expr::Binary(op, Box::new((second, Expr::Const(Value::Bool(neutral)))));
        self.emit(Op::Assign(answer, second, position));
        self.bind(end);
        Expr::Var(answer)
    }

    fn call_in_expr(&mut self, name: &Arc<str>, span: Span, args: &[Ast], whole: Span) -> Expr {
        let position = self.position(whole);
        if self.routines.contains_key(name) {
            return self.routine_in_expr(name, span, args, position);
        }
        if connectors::parse(name).is_some() {
            let args = Expr::List(args.iter().map(|arg| self.expr(arg)).collect());
            let result = self.temporary();
            let op = ConnectorOp { name: name.clone(), args, result: Some(result), position };
            self.emit(Op::Connector(Box::new(op)));
            return Expr::Var(result);
        }
        let Some(function) = stdlib::find(name) else {
            self.unknown_function(name, span);
            return Expr::Unknown(name.clone());
        };
        self.check_count(function, args.len(), span);
        match &function.body {
            Body::Effect(_) => {
                let message = format!("'{name}' waits and cannot be called in an expression");
                self.complain("blocking-call", span, message).suggestion =
                    Some(format!("make a step of it: call: {name}"));
                Expr::Unknown(name.clone())
            }
            Body::Clock => {
                let result = self.temporary();
                self.emit(Op::Clock(result, position));
                Expr::Var(result)
            }
            Body::Pure(_) if &**name == "if" && args.len() == 3 => self.if_call(args, position),
            Body::Pure(_) => {
                Expr::Call(function, args.iter().map(|arg| Some(self.expr(arg))).collect())
            }
        }
    }

    fn if_call(&mut self, args: &[Ast], position: Position) -> Expr {
        let condition = self.expr(&args[0]);
        let sides = &args[1..];
        if !sides.iter().any(|side| survey::expr_suspends(side, &|name| self.is_suspending(name))) {
            let (yes, no) = (self.expr(&args[1]), self.expr(&args[2]));
            return Expr::If(Box::new((condition, yes, no)));
        }
        let answer = self.temporary();
        let (otherwise, end) = (self.label(), self.label());
        let truth = |value| Expr::Const(Value::Bool(value));
        let test = Expr::If(Box::new((condition, truth(true), truth(false))));
        self.emit(Op::Unless(test, otherwise, position));
        let yes = self.expr(&args[1]);
        self.emit(Op::Assign(answer, yes, position));
        self.emit(Op::Jump(end, self.depth));
        self.bind(otherwise);
        let no = self.expr(&args[2]);
        self.emit(Op::Assign(answer, no, position));
        self.bind(end);
        Expr::Var(answer)
    }

    fn routine_in_expr(
        &mut self,
        name: &Arc<str>,
        span: Span,
        args: &[Ast],
        position: Position,
    ) -> Expr {
        if self.blocking.contains(name) {
            let message = format!(
                "sub-workflow '{name}' makes blocking calls and cannot be called in an expression"
            );
            self.complain("blocking-call", span, message).suggestion =
                Some(format!("make a step of it: call: {name}"));
        }
        let args: Vec<Option<Expr>> = args.iter().map(|arg| Some(self.expr(arg))).collect();
        let args = self.routine_args(name, args, span);
        let result = self.temporary();
        self.emit_routine_call(name, CallArgs::Fixed(args), Some(result), position);
        Expr::Var(result)
    }

    /// Emits the call of a routine that is known to exist.
    pub(super) fn emit_routine_call(
        &mut self,
        name: &str,
        args: CallArgs,
        result: Option<VarRef>,
        position: Position,
    ) {
        let Some(routine) = self.routines.get(name).copied() else { return };
        self.emit(Op::Call(Box::new(RoutineCall { routine, args, result, position })));
    }

    fn check_count(&mut self, function: &'static Function, given: usize, span: Span) {
        let required = function.params.iter().filter(|param| param.is_required).count();
        if (required..=function.params.len()).contains(&given) {
            return;
        }
        let names: Vec<&str> = function.params.iter().map(|param| param.name).collect();
        let message = format!(
            "{}() takes {} arguments, {given} given",
            function.name,
            if required == names.len() {
                required.to_string()
            } else {
                format!("{required} to {}", names.len())
            }
        );
        self.complain("argument-count", span, message).suggestion =
            Some(format!("{}({})", function.name, names.join(", ")));
    }

    pub(super) fn unknown_function(&mut self, name: &str, span: Span) {
        let known = stdlib::functions().map(|function| function.name);
        let near = nearest(name, known)
            .map(str::to_owned)
            .or_else(|| nearest(name, self.routines.keys().map(|name| &**name)).map(str::to_owned));
        let message = match name.contains('.') {
            true => format!("function '{name}' does not exist"),
            false => format!("symbol '{name}' is neither a variable nor a sub-workflow name"),
        };
        let found = self.complain("unknown-function", span, message);
        found.suggestion = near.map(|near| format!("did you mean '{near}'?"));
    }
}
