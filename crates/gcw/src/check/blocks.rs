//! `for`, `parallel`, `try`.

use std::sync::Arc;

use super::Checker;
use super::flow::LoopContext;
use crate::ast::{
    Except, Loop, Name, Over, Parallel, Retry, RetryPolicy, Step, Template, Try, Work,
};
use crate::expr::ast::Expr as Ast;
use crate::program::{
    Addr, BranchInfo, CallArgs, Expr, LoopOp, Op, ParallelOp, ParallelWork, RetryOp, VarRef,
};
use crate::source::place::Position;
use crate::stdlib::{self, Body, retry};
use crate::value::Value;

impl Checker<'_, '_> {
    fn over(&mut self, over: &Over) -> (Expr, bool, Position) {
        let (template, is_range, doing) = match over {
            Over::List(list) => (list, false, "error evaluating 'in' of for loop"),
            Over::Range(range) => (range, true, "error evaluating 'range' of for loop"),
        };
        let position = self.position(template.span);
        (self.template(template, doing), is_range, position)
    }

    pub(super) fn for_loop(&mut self, one: &Loop) {
        let (over, is_range, position) = self.over(&one.over);
        let mut locals = self.open_scope(&one.steps);
        let value = self.fresh(&one.value, &mut locals);
        let index = one.index.as_ref().map(|index| self.fresh(index, &mut locals));
        let op = Box::new(LoopOp { over, is_range, value, index, locals, position });
        self.emit(Op::LoopEnter(op.clone()));
        let (next, done) = (self.label(), self.label());
        self.bind(next);
        self.emit(Op::LoopNext(op, done));
        self.loops.push(LoopContext::Loop { next, done, depth: self.depth });
        self.depth += 1;
        self.steps(&one.steps, true);
        self.emit(Op::Jump(next, self.depth));
        self.depth -= 1;
        self.loops.pop();
        self.close_scope();
        self.bind(done);
    }

    /// A variable of the innermost scope, whatever is outside.
    fn fresh(&mut self, name: &Name, locals: &mut Vec<u16>) -> VarRef {
        let var = self.declare(&name.text, true);
        locals.push(var.slot);
        var
    }

    pub(super) fn parallel(&mut self, parallel: &Parallel) {
        for name in &parallel.shared {
            if self.lookup(&name.text).is_none() {
                let message = format!("shared variable '{}' is not assigned before", name.text);
                self.report.error("unknown-shared", name.span, message);
            }
        }
        let position = self.position(parallel.span);
        let concurrency_limit = parallel
            .concurrency_limit
            .as_ref()
            .map(|limit| self.template(limit, "error evaluating concurrency_limit"));
        let header = match &parallel.work {
            Work::Branches(_) => None,
            Work::For(one) => Some(self.over(&one.over)),
        };
        let at = self.here() as usize;
        self.emit(Op::BranchEnd);
        let end = self.label();
        self.emit(Op::Jump(end, self.depth));
        let work = match (&parallel.work, header) {
            (Work::For(one), Some(header)) => self.parallel_for(one, header, &parallel.shared),
            (Work::Branches(branches), _) => ParallelWork::Branches(
                branches
                    .iter()
                    .map(|(name, steps)| (name.text.clone(), self.branch(steps, &parallel.shared)))
                    .collect(),
            ),
            (Work::For(_), None) => ParallelWork::Branches(Vec::new()),
        };
        self.ops[at] = Op::Parallel(Box::new(ParallelOp { work, concurrency_limit, position }));
        self.bind(end);
    }

    fn parallel_for(
        &mut self,
        one: &Loop,
        (over, is_range, position): (Expr, bool, Position),
        shared: &[Name],
    ) -> ParallelWork {
        self.open_frame(shared, &one.steps);
        let mut locals = Vec::new();
        let value = self.fresh(&one.value, &mut locals);
        let index = one.index.as_ref().map(|index| self.fresh(index, &mut locals));
        let branch = self.branch_code(&one.steps, true);
        let op = LoopOp { over, is_range, value, index, locals: Vec::new(), position };
        ParallelWork::For(op, branch)
    }

    fn branch(&mut self, steps: &[Step], shared: &[Name]) -> BranchInfo {
        self.open_frame(shared, steps);
        self.branch_code(steps, false)
    }

    /// The code of the frame that was just opened; closes the frame.
    fn branch_code(&mut self, steps: &[Step], is_iteration: bool) -> BranchInfo {
        let (entry, end) = (self.label(), self.label());
        let depth = std::mem::replace(&mut self.depth, 0);
        self.bind(entry);
        self.loops.push(LoopContext::Branch { end, is_iteration });
        self.steps(steps, true);
        self.loops.pop();
        self.bind(end);
        self.emit(Op::BranchEnd);
        self.depth = depth;
        BranchInfo { entry, slots: self.close_frame() }
    }

    pub(super) fn try_block(&mut self, tried: &Try) {
        let (attempt, handler, end) = (self.label(), self.label(), self.label());
        let error = self.temporary();
        let retry = tried.retry.as_ref().and_then(|retry| self.retry(retry));
        if let Some((op, _)) = &retry {
            let zero = Expr::Const(Value::Int(0));
            self.emit(Op::Assign(op.count, zero, op.position));
        }
        self.bind(attempt);
        self.emit(Op::TryEnter(handler, error));
        self.depth += 1;
        self.body(&tried.body);
        self.depth -= 1;
        self.emit(Op::TryLeave);
        self.emit(Op::Jump(end, self.depth));
        self.bind(handler);
        self.depth += 1;
        if let Some((op, predicate)) = retry {
            self.retry_code(op, &predicate, error, attempt);
        }
        self.depth -= 1;
        match &tried.except {
            Some(except) => self.except(except, error),
            None => self.emit(Op::Rethrow),
        }
        self.bind(end);
    }

    fn retry_code(&mut self, op: RetryOp, predicate: &str, error: VarRef, attempt: Addr) {
        let give_up = self.label();
        let position = op.position;
        let op = Box::new(op);
        self.emit(Op::RetryCheck(op.clone(), give_up));
        let argument = Some(Expr::Var(error));
        let verdict = match stdlib::find(predicate) {
            Some(function) => Expr::Call(function, vec![argument]),
            None => {
                let result = self.temporary();
                let args = CallArgs::Fixed(vec![argument]);
                self.emit_routine_call(predicate, args, Some(result), position);
                Expr::Var(result)
            }
        };
        self.emit(Op::Unless(verdict, give_up, position));
        self.emit(Op::RetryDelay(op));
        self.emit(Op::Jump(attempt, self.depth - 1));
        self.bind(give_up);
    }

    fn except(&mut self, except: &Except, error: VarRef) {
        self.emit(Op::CatchLeave);
        let mut locals = self.open_scope(&except.steps);
        let name = self.fresh(&except.name, &mut locals);
        let position = self.position(except.name.span);
        for slot in &locals {
            let local = VarRef { up: 0, slot: *slot };
            self.emit(Op::Assign(local, Expr::Const(Value::Null), position));
        }
        self.emit(Op::Assign(name, Expr::Var(error), position));
        self.emit(Op::Assign(error, Expr::Const(Value::Null), position));
        self.steps(&except.steps, false);
        for slot in locals {
            let local = VarRef { up: 0, slot };
            self.emit(Op::Assign(local, Expr::Const(Value::Null), position));
        }
        self.close_scope();
    }

    /// The numbers of a policy, and the name of its predicate.
    fn retry(&mut self, retry: &Retry) -> Option<(RetryOp, Arc<str>)> {
        let count = self.temporary();
        match retry {
            Retry::Named(expr) => self.named_policy(expr, count),
            Retry::Policy(policy) => self.policy(policy, count),
        }
    }

    fn named_policy(&mut self, expr: &Ast, count: VarRef) -> Option<(RetryOp, Arc<str>)> {
        let path = expr.path().unwrap_or_default();
        let Some(policy) = retry::POLICIES.iter().find(|policy| policy.name == path) else {
            let known = retry::POLICIES.map(|policy| format!("${{{}}}", policy.name));
            self.report.error("retry-policy", expr.span, "'retry' names no policy").suggestion =
                Some(known.join(" or "));
            return None;
        };
        let double = |value| Expr::Const(Value::Double(value));
        let op = RetryOp {
            count,
            max_retries: Expr::Const(Value::Int(policy.max_retries)),
            initial_delay: double(policy.initial_delay),
            max_delay: double(policy.max_delay),
            multiplier: double(policy.multiplier),
            position: self.position(expr.span),
        };
        Some((op, policy.predicate.into()))
    }

    fn policy(&mut self, policy: &RetryPolicy, count: VarRef) -> Option<(RetryOp, Arc<str>)> {
        let doing = "error evaluating retry policy";
        let max_retries = self.template(policy.max_retries.as_ref()?, doing);
        let (initial_delay, max_delay, multiplier) = match &policy.backoff {
            Some(backoff) => {
                let backoff = self.expr(backoff);
                let part = |name: &str| Expr::Member(Box::new(backoff.clone()), name.into());
                (part("initial_delay"), part("max_delay"), part("multiplier"))
            }
            None => {
                let mut number =
                    |value: &Option<Template>| Some(self.template(value.as_ref()?, doing));
                (
                    number(&policy.initial_delay)?,
                    number(&policy.max_delay)?,
                    number(&policy.multiplier)?,
                )
            }
        };
        let position = self.position(policy.span);
        let op = RetryOp { count, max_retries, initial_delay, max_delay, multiplier, position };
        Some((op, self.predicate(policy.predicate.as_ref()?)?))
    }

    fn predicate(&mut self, expr: &Ast) -> Option<Arc<str>> {
        let name = expr.path().unwrap_or_default();
        let params = match (self.routines.get(&*name), stdlib::find(&name)) {
            (Some(at), _) => self.definition.routines[*at].params.len(),
            (None, Some(function)) if matches!(function.body, Body::Pure(_)) => {
                function.params.len()
            }
            _ => {
                let message = format!(
                    "'predicate' names no function or sub-workflow{}",
                    if name.is_empty() { String::new() } else { format!(": '{name}'") }
                );
                let near = self.nearest_symbol(&name);
                self.report.error("predicate", expr.span, message).suggestion =
                    near.map(|near| format!("did you mean '{near}'?"));
                return None;
            }
        };
        if params != 1 {
            let message = format!("predicate '{name}' must take one argument, the error");
            self.report.error("predicate", expr.span, message);
        }
        Some(name.into())
    }
}
