//! What a tree holds: assigned names, blocking calls, calls that suspend an expression.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::ast::{
    Action, Args, Body, Definition, Key, Over, Retry, Step, Template, TemplateKind, Work,
};
use crate::connectors;
use crate::expr::ast::{Expr, ExprKind};
use crate::stdlib;

/// The names that steps assign in their own scope, in source order.
pub(super) fn assigned(steps: &[Step]) -> Vec<Arc<str>> {
    let mut names = Vec::new();
    let mut seen = HashSet::new();
    each_assigned(steps, &mut |name| {
        if seen.insert(name.clone()) {
            names.push(name.clone());
        }
    });
    names
}

fn each_assigned(steps: &[Step], take: &mut impl FnMut(&Arc<str>)) {
    for step in steps {
        body_assigned(&step.body, take);
    }
}

fn body_assigned(body: &Body, take: &mut impl FnMut(&Arc<str>)) {
    match &body.action {
        Action::Assign(assignments) => {
            assignments.iter().for_each(|one| take(&one.target.name.text));
        }
        Action::Call(call) => call.result.iter().for_each(|name| take(&name.text)),
        Action::Switch(cases) => cases.iter().for_each(|case| body_assigned(&case.body, take)),
        Action::Steps(steps) => each_assigned(steps, take),
        Action::Try(tried) => body_assigned(&tried.body, take),
        Action::Nothing
        | Action::For(_)
        | Action::Parallel(_)
        | Action::Raise(_)
        | Action::Return(_) => {}
    }
}

/// Every name that anything in a definition assigns.
pub(super) fn names(definition: &Definition) -> BTreeSet<Arc<str>> {
    let mut found = BTreeSet::new();
    for routine in &definition.routines {
        found.extend(routine.params.iter().map(|param| param.name.text.clone()));
        routine.steps.iter().for_each(|step| body_names(&step.body, &mut found));
    }
    found
}

fn body_names(body: &Body, found: &mut BTreeSet<Arc<str>>) {
    let mut all = |steps: &[Step]| steps.iter().for_each(|step| body_names(&step.body, found));
    match &body.action {
        Action::Steps(steps) => all(steps),
        Action::Switch(cases) => cases.iter().for_each(|case| body_names(&case.body, found)),
        Action::For(one) => loop_names(one, found),
        Action::Parallel(parallel) => match &parallel.work {
            Work::Branches(branches) => branches.iter().for_each(|(_, steps)| all(steps)),
            Work::For(one) => loop_names(one, found),
        },
        Action::Try(tried) => {
            body_names(&tried.body, found);
            if let Some(except) = &tried.except {
                found.insert(except.name.text.clone());
                except.steps.iter().for_each(|step| body_names(&step.body, found));
            }
        }
        _ => body_assigned(body, &mut |name| {
            found.insert(name.clone());
        }),
    }
}

fn loop_names(one: &crate::ast::Loop, found: &mut BTreeSet<Arc<str>>) {
    found.insert(one.value.text.clone());
    found.extend(one.index.iter().map(|index| index.text.clone()));
    one.steps.iter().for_each(|step| body_names(&step.body, found));
}

/// The routines that make blocking calls, themselves or through others.
pub(super) fn blocking(definition: &Definition) -> HashSet<Arc<str>> {
    let mut callers: HashMap<Arc<str>, Vec<Arc<str>>> = HashMap::new();
    let routines: HashSet<&str> = definition.routines.iter().map(|r| &*r.name.text).collect();
    let mut blocking: HashSet<Arc<str>> = HashSet::new();
    for routine in &definition.routines {
        steps_calls(&routine.steps, &mut |callee| {
            if routines.contains(&**callee) {
                callers.entry(callee.clone()).or_default().push(routine.name.text.clone());
            } else if !blocking.contains(&routine.name.text) && is_blocking(callee) {
                blocking.insert(routine.name.text.clone());
            }
        });
    }
    let mut fresh: Vec<Arc<str>> = blocking.iter().cloned().collect();
    while let Some(name) = fresh.pop() {
        for caller in callers.get(&name).into_iter().flatten() {
            if blocking.insert(caller.clone()) {
                fresh.push(caller.clone());
            }
        }
    }
    blocking
}

/// Whether a function waits for the world.
pub(super) fn is_blocking(name: &str) -> bool {
    connectors::parse(name).is_some()
        || stdlib::find(name)
            .is_some_and(|function| matches!(function.body, stdlib::Body::Effect(_)))
}

fn steps_calls(steps: &[Step], take: &mut impl FnMut(&Arc<str>)) {
    steps.iter().for_each(|step| body_calls(&step.body, take));
}

fn body_calls(body: &Body, take: &mut impl FnMut(&Arc<str>)) {
    match &body.action {
        Action::Nothing => {}
        Action::Assign(all) => all.iter().for_each(|one| template_calls(&one.value, take)),
        Action::Call(call) => {
            take(&call.function.text);
            match &call.args {
                Args::None => {}
                Args::Named(args) => args.iter().for_each(|(_, arg)| template_calls(arg, take)),
                Args::Positional(args) => args.iter().for_each(|arg| template_calls(arg, take)),
                Args::Dynamic(args) => template_calls(args, take),
            }
        }
        Action::Switch(cases) => cases.iter().for_each(|case| {
            template_calls(&case.condition, take);
            body_calls(&case.body, take);
        }),
        Action::For(one) => loop_calls(one, take),
        Action::Parallel(parallel) => match &parallel.work {
            Work::Branches(all) => all.iter().for_each(|(_, steps)| steps_calls(steps, take)),
            Work::For(one) => loop_calls(one, take),
        },
        Action::Steps(steps) => steps_calls(steps, take),
        Action::Try(tried) => {
            body_calls(&tried.body, take);
            if let Some(Retry::Policy(policy)) = &tried.retry
                && let Some(path) = policy.predicate.as_ref().and_then(Expr::path)
            {
                take(&path.into());
            }
            tried.except.iter().for_each(|except| steps_calls(&except.steps, take));
        }
        Action::Raise(value) | Action::Return(value) => template_calls(value, take),
    }
}

fn loop_calls(one: &crate::ast::Loop, take: &mut impl FnMut(&Arc<str>)) {
    match &one.over {
        Over::List(over) | Over::Range(over) => template_calls(over, take),
    }
    steps_calls(&one.steps, take);
}

fn template_calls(template: &Template, take: &mut impl FnMut(&Arc<str>)) {
    match &template.kind {
        TemplateKind::Literal(_) => {}
        TemplateKind::Expr(expr) => expr_calls(expr, take),
        TemplateKind::List(items) => items.iter().for_each(|item| template_calls(item, take)),
        TemplateKind::Map(entries) => entries.iter().for_each(|(key, value)| {
            if let Key::Expr(key, _) = key {
                expr_calls(key, take);
            }
            template_calls(value, take);
        }),
    }
}

/// Gives every called name of an expression.
pub(super) fn expr_calls(expr: &Expr, take: &mut impl FnMut(&Arc<str>)) {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Name(_) => {}
        ExprKind::Member(inner, _) | ExprKind::Not(inner) | ExprKind::Negate(inner) => {
            expr_calls(inner, take);
        }
        ExprKind::Index(a, b) | ExprKind::Binary(_, a, b) => {
            expr_calls(a, take);
            expr_calls(b, take);
        }
        ExprKind::Slice(whole, from, to) => {
            expr_calls(whole, take);
            from.iter().chain(to).for_each(|end| expr_calls(end, take));
        }
        ExprKind::List(items) => items.iter().for_each(|item| expr_calls(item, take)),
        ExprKind::Map(entries) => entries.iter().for_each(|(key, value)| {
            expr_calls(key, take);
            expr_calls(value, take);
        }),
        ExprKind::Call(name, _, items) => {
            take(name);
            items.iter().for_each(|item| expr_calls(item, take));
        }
    }
}

/// Whether a template calls a function for which `test` holds.
pub(super) fn suspends(template: &Template, test: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    template_calls(template, &mut |name| found |= test(name));
    found
}

/// Whether an expression calls a function for which `test` holds.
pub(super) fn expr_suspends(expr: &Expr, test: &dyn Fn(&str) -> bool) -> bool {
    let mut found = false;
    expr_calls(expr, &mut |name| found |= test(name));
    found
}
