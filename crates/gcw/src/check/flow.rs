//! Steps in order, jumps between them, `assign` and `switch`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Checker;
use crate::ast::{Action, Assignment, Body, Case, Jump, Next, Step, TargetKey};
use crate::diagnostic::nearest;
use crate::program::{Addr, Expr, Op, PathKey, StepInfo, VarRef};
use crate::source::place::{Position, Span};
use crate::value::Value;

/// A list of steps that jumps may go to.
#[derive(Debug)]
pub(super) struct StepList {
    labels: BTreeMap<Arc<str>, Addr>,
    depth: u16,
    /// Whether jumps stop here: the body of a loop, a branch or a routine.
    is_boundary: bool,
}

/// What `break`, `continue`, `return` and `end` mean here.
#[derive(Debug, Clone, Copy)]
pub(super) enum LoopContext {
    /// Inside a `for`: where the next iteration and the end are.
    Loop {
        /// The next iteration.
        next: Addr,
        /// Behind the loop.
        done: Addr,
        /// The blocks open behind the loop.
        depth: u16,
    },
    /// Inside a branch, or an iteration of `parallel for`: where its end is.
    Branch {
        /// The end of the branch.
        end: Addr,
        /// Whether `continue` may go there.
        is_iteration: bool,
    },
}

impl Checker<'_, '_> {
    pub(super) fn steps(&mut self, steps: &[Step], is_boundary: bool) {
        let mut labels = BTreeMap::new();
        let mut own = Vec::with_capacity(steps.len());
        for step in steps {
            let label = self.label();
            own.push(label);
            if labels.contains_key(&step.name.text) {
                let message = format!("two steps here are named '{}'", step.name.text);
                self.report.warning("duplicate-step", step.name.span, message).suggestion =
                    Some("a jump goes to the first of them".to_owned());
            } else {
                labels.insert(step.name.text.clone(), label);
            }
        }
        self.lists.push(StepList { labels, depth: self.depth, is_boundary });
        for (step, label) in steps.iter().zip(own) {
            self.bind(label);
            self.step(step);
        }
        self.lists.pop();
    }

    fn step(&mut self, step: &Step) {
        let outer = self.report.enter_step(Some(&step.name.text));
        let id = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        self.steps.push(StepInfo {
            name: step.name.text.clone(),
            routine: self.routine.clone(),
            kind: self.kind(&step.body),
            position: self.position(step.name.span),
            parent: self.parent,
        });
        self.emit(Op::Step(id));
        let parent = self.parent.replace(id);
        self.body(&step.body);
        self.parent = parent;
        self.report.enter_step(outer.as_deref());
    }

    fn kind(&self, body: &Body) -> &'static str {
        match &body.action {
            Action::Nothing => "GOTO",
            Action::Assign(_) => "ASSIGN",
            Action::Call(call) => self.call_kind(call),
            Action::Switch(_) => "SWITCH",
            Action::For(_) => "FOR",
            Action::Parallel(parallel) => match parallel.work {
                crate::ast::Work::Branches(_) => "PARALLEL_BRANCH",
                crate::ast::Work::For(_) => "PARALLEL_FOR",
            },
            Action::Steps(_) => "STEPS",
            Action::Try(_) => "TRY_RETRY_EXCEPT",
            Action::Raise(_) => "RAISE",
            Action::Return(_) => "RETURN",
        }
    }

    pub(super) fn body(&mut self, body: &Body) {
        match &body.action {
            Action::Nothing => {}
            Action::Assign(all) => all.iter().for_each(|one| self.assignment(one)),
            Action::Call(call) => self.call(call),
            Action::Switch(cases) => return self.switch(cases, body.next.as_ref()),
            Action::For(one) => self.for_loop(one),
            Action::Parallel(parallel) => self.parallel(parallel),
            Action::Steps(steps) => self.steps(steps, false),
            Action::Try(tried) => self.try_block(tried),
            Action::Raise(value) => {
                let expr = self.template(value, "error evaluating raised value");
                self.emit(Op::Raise(expr, self.position(value.span)));
            }
            Action::Return(value) => {
                let expr = self.template(value, "error evaluating return value");
                self.return_value(expr, value.span);
            }
        }
        if let Some(next) = &body.next {
            self.next(next);
        }
    }

    fn branch_end(&self) -> Option<Addr> {
        self.loops.iter().rev().find_map(|context| match context {
            LoopContext::Branch { end, .. } => Some(*end),
            LoopContext::Loop { .. } => None,
        })
    }

    fn return_value(&mut self, value: Expr, span: Span) {
        if self.branch_end().is_some() {
            let message = "'return' cannot end a routine from inside a parallel step";
            self.report.error("return-in-branch", span, message).suggestion =
                Some("assign a shared variable and return it after the parallel step".to_owned());
        }
        self.emit(Op::Return(value, self.position(span)));
    }

    fn assignment(&mut self, one: &Assignment) {
        let value = self.template(&one.value, "error evaluating assigned value");
        let position = self.position(one.value.span);
        let outer = std::mem::replace(&mut self.doing, "error evaluating assignment target");
        let keys: Vec<PathKey> = one
            .target
            .keys
            .iter()
            .map(|key| match key {
                TargetKey::Name(name) => PathKey::Name(name.clone()),
                TargetKey::Expr(expr) => PathKey::Expr(self.expr(expr)),
            })
            .collect();
        self.doing = outer;
        let target = self.written(&one.target.name);
        self.emit(match keys.is_empty() {
            true => assign(target, value, position),
            false => Op::AssignPath(Box::new((target, keys, value)), position),
        });
    }

    /// Entries that ran their steps go on behind the switch; its own `next` is for the case that
    /// none matched. \[M\]
    fn switch(&mut self, cases: &[Case], next: Option<&Next>) {
        let end = self.label();
        for case in cases {
            let otherwise = self.label();
            let condition = self.template(&case.condition, "error evaluating condition");
            if !matches!(condition, Expr::Const(Value::Bool(true))) {
                let position = self.position(case.condition.span);
                self.emit(Op::Unless(condition, otherwise, position));
            }
            self.body(&case.body);
            self.emit(Op::Jump(end, self.depth));
            self.bind(otherwise);
        }
        if let Some(next) = next {
            self.next(next);
        }
        self.bind(end);
    }

    pub(super) fn next(&mut self, next: &Next) {
        match &next.target {
            Jump::End => match self.branch_end() {
                Some(end) => self.emit(Op::Jump(end, 0)),
                None => self.emit(Op::Return(Expr::Const(Value::Null), Position::default())),
            },
            Jump::Step(name) => self.jump(name, next.span),
            Jump::Break => match self.loops.last().copied() {
                Some(LoopContext::Loop { done, depth, .. }) => self.emit(Op::Jump(done, depth)),
                Some(LoopContext::Branch { .. }) => {
                    let message = "'break' cannot leave a parallel step";
                    self.report.error("break-in-parallel", next.span, message);
                }
                None => self.outside_loop("break", next.span),
            },
            Jump::Continue => match self.loops.last().copied() {
                Some(LoopContext::Loop { next, depth, .. }) => {
                    self.emit(Op::Jump(next, depth + 1));
                }
                Some(LoopContext::Branch { end, is_iteration: true }) => {
                    self.emit(Op::Jump(end, 0));
                }
                _ => self.outside_loop("continue", next.span),
            },
        }
    }

    fn outside_loop(&mut self, word: &str, span: Span) {
        let message = format!("'next: {word}' stands only inside a for loop");
        self.report.error("outside-loop", span, message);
    }

    fn jump(&mut self, name: &Arc<str>, span: Span) {
        for list in self.lists.iter().rev() {
            if let Some(label) = list.labels.get(name) {
                let op = Op::Jump(*label, list.depth);
                self.emit(op);
                return;
            }
            if list.is_boundary {
                break;
            }
        }
        if self.report.is_full() {
            self.report.error("unknown-step", span, "a step does not exist");
            return;
        }
        let visible = self.lists.iter().flat_map(|list| list.labels.keys());
        let near = nearest(name, visible.map(|name| &**name)).map(str::to_owned);
        let is_hidden = self.lists.iter().any(|list| list.labels.contains_key(name));
        let message = format!("step '{name}' does not exist in this scope");
        let found = self.report.error("unknown-step", span, message);
        found.suggestion = match (near, is_hidden) {
            (_, true) => {
                Some("a jump cannot leave a loop or a branch; use break or continue".to_owned())
            }
            (Some(near), _) => Some(format!("did you mean '{near}'?")),
            (None, _) => None,
        };
    }
}

/// `x: ${list.concat(x, item)}` becomes an append: the copy would be thrown away at once.
fn assign(target: VarRef, value: Expr, position: Position) -> Op {
    if let Expr::At(_, inner) = &value
        && let Expr::Call(function, args) = &**inner
        && function.name == "list.concat"
        && let [Some(Expr::Var(list)), Some(item)] = &args[..]
        && *list == target
    {
        return Op::Append(target, item.clone(), position);
    }
    Op::Assign(target, value, position)
}
