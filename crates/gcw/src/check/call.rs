//! `call`: what is called, and whether the arguments fit.

use std::sync::Arc;

use super::Checker;
use crate::ast::{Args, Call, Name, Template};
use crate::connectors;
use crate::diagnostic::nearest;
use crate::program::{CallArgs, ConnectorOp, EffectCall, Expr, Op, VarRef};
use crate::source::place::{Position, Span};
use crate::stdlib::{self, Body, Function};
use crate::value::Value;

const DOING: &str = "error evaluating argument";

impl Checker<'_, '_> {
    /// What kind of call it is, as Google's step entries name it.
    pub(super) fn call_kind(&self, call: &Call) -> &'static str {
        let name = &call.function.text;
        match () {
            () if self.routines.contains_key(name) => "SUBWORKFLOW_CALL",
            () if connectors::parse(name).is_some() => "CONNECTOR_CALL",
            () => "STD_LIB_CALL",
        }
    }

    pub(super) fn call(&mut self, call: &Call) {
        let name = &call.function.text;
        let position = self.position(call.function.span);
        if self.routines.contains_key(name) {
            let args = self.call_routine_args(call);
            let result = self.result(call.result.as_ref());
            self.emit_routine_call(name, args, result, position);
        } else if connectors::parse(name).is_some() {
            let args = self.connector_args(&call.args);
            let result = self.result(call.result.as_ref());
            let op = ConnectorOp { name: name.clone(), args, result, position };
            self.emit(Op::Connector(Box::new(op)));
        } else if let Some(function) = stdlib::find(name) {
            self.call_function(function, call, position);
        } else {
            let outer = std::mem::take(&mut self.doing);
            self.unknown_function(name, call.function.span);
            self.doing = outer;
            self.check_all(&call.args);
            self.result(call.result.as_ref());
        }
    }

    fn result(&mut self, result: Option<&Name>) -> Option<VarRef> {
        result.map(|name| self.written(name))
    }

    /// Looks at arguments whose callee is unknown, for the findings only.
    fn check_all(&mut self, args: &Args) {
        self.connector_args(args);
    }

    fn connector_args(&mut self, args: &Args) -> Expr {
        match args {
            Args::None => Expr::Const(Value::Null),
            Args::Named(entries) => Expr::Map(
                entries
                    .iter()
                    .map(|(name, value)| {
                        let key = Expr::Const(Value::String(name.text.clone()));
                        (key, self.template(value, DOING))
                    })
                    .collect(),
            ),
            Args::Positional(items) => {
                Expr::List(items.iter().map(|item| self.template(item, DOING)).collect())
            }
            Args::Dynamic(whole) => self.template(whole, DOING),
        }
    }

    fn call_function(&mut self, function: &'static Function, call: &Call, position: Position) {
        if let ("http.get", Args::Named(args)) = (function.name, &call.args)
            && let Some((name, _)) = args.iter().find(|(name, _)| &*name.text == "body")
        {
            let message = "http.get has no body in Google's documentation; it is sent all the same";
            self.report.warning("get-body", name.span, message);
        }
        let args = self.function_args(function, call);
        let result = self.result(call.result.as_ref());
        match (&function.body, args) {
            (Body::Effect(kind), args) => {
                let kind = *kind;
                let op = EffectCall { function, kind, args, result, position };
                self.emit(Op::Effect(Box::new(op)));
            }
            (Body::Clock, _) => {
                let target = result.unwrap_or_else(|| self.temporary());
                self.emit(Op::Clock(target, position));
            }
            (Body::Pure(_), CallArgs::Fixed(args)) => {
                let value = Expr::Call(function, args);
                self.emit(match result {
                    Some(target) => Op::Assign(target, value, position),
                    None => Op::Evaluate(value, position),
                });
            }
            (Body::Pure(_), CallArgs::Dynamic(_)) => {
                let message = format!("the arguments of '{}' are spelled out", function.name);
                self.report.error("dynamic-args", call.function.span, message);
            }
        }
    }

    fn function_args(&mut self, function: &'static Function, call: &Call) -> CallArgs {
        let params: Vec<(&str, bool)> =
            function.params.iter().map(|param| (param.name, param.is_required)).collect();
        self.fit(function.name, &params, &call.args, call.function.span)
    }

    fn call_routine_args(&mut self, call: &Call) -> CallArgs {
        let name = &call.function.text;
        let definition = self.definition;
        let Some(routine) = self.routines.get(name).map(|at| &definition.routines[*at]) else {
            return CallArgs::Fixed(Vec::new());
        };
        let params: Vec<(&str, bool)> = routine
            .params
            .iter()
            .map(|param| (&*param.name.text, param.default.is_none()))
            .collect();
        self.fit(name, &params, &call.args, call.function.span)
    }

    /// Puts arguments in the order of the parameters; reports those that do not fit.
    fn fit(&mut self, callee: &str, params: &[(&str, bool)], args: &Args, span: Span) -> CallArgs {
        let mut fitted: Vec<Option<Expr>> = vec![None; params.len()];
        match args {
            Args::None => {}
            Args::Dynamic(whole) => return CallArgs::Dynamic(self.template(whole, DOING)),
            Args::Named(entries) => {
                for (name, value) in entries {
                    let value = self.template(value, DOING);
                    match params.iter().position(|(param, _)| **param == *name.text) {
                        Some(at) => fitted[at] = Some(value),
                        None => self.unknown_argument(callee, params, name),
                    }
                }
            }
            Args::Positional(items) => {
                for (at, item) in items.iter().enumerate() {
                    let value = self.template(item, DOING);
                    match fitted.get_mut(at) {
                        Some(place) => *place = Some(value),
                        None => self.too_many(callee, params.len(), items, item),
                    }
                }
            }
        }
        self.check_required(callee, params, &fitted, span);
        CallArgs::Fixed(fitted)
    }

    fn unknown_argument(&mut self, callee: &str, params: &[(&str, bool)], name: &Name) {
        let message = format!("'{callee}' has no argument '{}'", name.text);
        let found = self.report.error("unknown-argument", name.span, message);
        let names: Vec<&str> = params.iter().map(|(name, _)| *name).collect();
        found.suggestion = Some(match nearest(&name.text, names.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None if names.is_empty() => "it takes none".to_owned(),
            None => format!("it takes {}", names.join(", ")),
        });
    }

    fn too_many(&mut self, callee: &str, most: usize, items: &[Template], item: &Template) {
        let message = format!("'{callee}' takes {most} arguments, {} given", items.len());
        self.report.error("argument-count", item.span, message);
    }

    fn check_required(
        &mut self,
        callee: &str,
        params: &[(&str, bool)],
        fitted: &[Option<Expr>],
        span: Span,
    ) {
        for ((name, is_required), value) in params.iter().zip(fitted) {
            if *is_required && value.is_none() {
                let message = format!("'{callee}' is missing its argument '{name}'");
                self.report.error("missing-argument", span, message);
            }
        }
    }

    /// Positional arguments of a routine called in an expression, padded to its parameters.
    pub(super) fn routine_args(
        &mut self,
        name: &Arc<str>,
        mut args: Vec<Option<Expr>>,
        span: Span,
    ) -> Vec<Option<Expr>> {
        let definition = self.definition;
        let Some(routine) = self.routines.get(name).map(|at| &definition.routines[*at]) else {
            return args;
        };
        if args.len() > routine.params.len() {
            let most = routine.params.len();
            let message = format!("'{name}' takes {most} arguments, {} given", args.len());
            self.report.error("argument-count", span, message);
        }
        args.resize(routine.params.len(), None);
        let params: Vec<(&str, bool)> = routine
            .params
            .iter()
            .map(|param| (&*param.name.text, param.default.is_none()))
            .collect();
        self.check_required(name, &params, &args, span);
        args
    }
}
