//! `parallel`: a group of branches, at most so many at once, that all end before the step does.

use super::Machine;
use super::branch::{Activation, Branch, Frame, Items};
use super::failure::Failure;
use super::raise::{Flow, Raised};
use crate::fault::{Answer, Fault};
use crate::program::{BranchInfo, Expr, LoopOp, Op, ParallelOp, ParallelWork};
use crate::source::place::Position;
use crate::value::Value;

/// Branches that exist at once in one execution, but for one in each group.
const LEAVES_MAX: usize = 900;

/// The branches of one `parallel` step.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) parent: usize,
    /// The address of the operation, which holds the work.
    pub(super) op: u32,
    /// The items of `parallel for`.
    items: Option<Items>,
    total: i64,
    next: i64,
    running: i64,
    limit: i64,
    frame: usize,
    step: u32,
    nesting: u64,
    position: Position,
    errors: Vec<Value>,
    /// The tags of the errors, each once.
    tags: Vec<Value>,
    failed: u64,
}

impl Machine {
    /// Opens a group; the branch waits until it is empty.
    pub(super) fn parallel(
        &mut self,
        id: usize,
        branch: &mut Branch,
        parallel: &ParallelOp,
        op: u32,
    ) -> Answer<Flow> {
        let limits = &self.context.limits;
        if branch.nesting >= limits.parallel_depth {
            let message = format!(
                "ParallelNestingError: parallel steps nest deeper than {}",
                limits.parallel_depth
            );
            return Err(Fault::tagged(message, &["ParallelNestingError"]));
        }
        let most = limits.parallel_active as i64;
        let most_iterations = limits.parallel_iterations;
        let Some(activation) = branch.stack.last() else { return Ok(Flow::Stop) };
        let limit = match &parallel.concurrency_limit {
            None => most,
            Some(limit) => self.concurrency(limit, activation)?.min(most),
        };
        let (items, total) = match &parallel.work {
            ParallelWork::Branches(branches) => (None, branches.len() as i64),
            ParallelWork::For(one, _) => {
                let items = self.items(one, activation).map_err(|fault| fault.at(one.position))?;
                let total = items.len();
                (Some(items), total)
            }
        };
        if u64::try_from(total).is_ok_and(|total| total > most_iterations) {
            return Err(Fault::resource(format!(
                "more than {most_iterations} parallel iterations"
            )));
        }
        if total <= 0 {
            return Ok(Flow::Run);
        }
        let group = Group {
            parent: id,
            op,
            items,
            total,
            next: 0,
            running: 0,
            limit,
            frame: activation.frame,
            step: activation.step,
            nesting: branch.nesting + 1,
            position: parallel.position,
            errors: Vec::new(),
            tags: Vec::new(),
            failed: 0,
        };
        let group = self.groups.insert(group);
        self.leaves -= 1;
        self.spawn(group);
        Ok(Flow::Stop)
    }

    fn concurrency(&self, limit: &Expr, activation: &Activation) -> Answer<i64> {
        match self.eval(limit, activation)? {
            Value::Int(limit @ 1..) => Ok(limit),
            other => Err(Fault::of_value(format!(
                "concurrency_limit must be a positive integer, got: {other}"
            ))),
        }
    }

    /// What a loop goes through.
    pub(super) fn items(&self, one: &LoopOp, activation: &Activation) -> Answer<Items> {
        let over = self.eval(&one.over, activation)?;
        if !one.is_range {
            return match over {
                Value::List(list) => Ok(Items::List(list)),
                other => Err(Fault::of_type(format!(
                    "'in' of a for loop must be a list, got: {}",
                    other.message_name()
                ))),
            };
        }
        let ends = over.as_list().unwrap_or(&[]);
        let bad = || Fault::of_type(format!("'range' must be a list of two numbers, got: {over}"));
        match ends {
            [Value::Int(from), Value::Int(to)] => {
                let count = to.checked_sub(*from).and_then(|span| span.checked_add(1));
                Ok(Items::Ints(*from, count.unwrap_or(if to < from { 0 } else { i64::MAX }).max(0)))
            }
            [from, to] => {
                let (from, to) =
                    (from.as_number().ok_or_else(bad)?, to.as_number().ok_or_else(bad)?);
                Ok(Items::Doubles(from, ((to - from).floor() + 1.0).max(0.0) as i64))
            }
            _ => Err(bad()),
        }
    }

    /// Starts branches of a group while there is room.
    fn spawn(&mut self, group: usize) {
        let program = self.program.clone();
        loop {
            let leaves = self.leaves;
            let Some(one) = self.groups.get_mut(group) else { return };
            let has_room = one.running < one.limit && (leaves < LEAVES_MAX || one.running == 0);
            if one.next >= one.total || !has_room {
                return;
            }
            let place = one.next;
            one.next += 1;
            one.running += 1;
            let (frame, step, nesting, op) = (one.frame, one.step, one.nesting, one.op);
            let item = one.items.as_ref().and_then(|items| items.get(place));
            let Some(Op::Parallel(parallel)) = program.ops.get(op as usize) else { return };
            let (info, variables) = match &parallel.work {
                ParallelWork::Branches(branches) => (&branches[place as usize].1, None),
                ParallelWork::For(one, info) => (info, Some((one.value, one.index))),
            };
            let started = self.start_branch(info, frame, step, nesting, (group, place as usize));
            if let (Some((value, index)), Some(item)) = (variables, item) {
                let written = self.write(started.1, value, item);
                let index = self.write_result(started.1, index, Value::Int(place));
                if let Err(fault) = written.and(index) {
                    self.end = Some(Err(Failure::of(Raised { fault, stack: Vec::new() })));
                }
            }
        }
    }

    fn start_branch(
        &mut self,
        info: &BranchInfo,
        parent: usize,
        step: u32,
        nesting: u64,
        group: (usize, usize),
    ) -> (usize, usize) {
        let slots = vec![Value::Null; info.slots.len()];
        self.memory += slots.len() as u64;
        let frame = self.frames.insert(Frame { slots, parent: Some(parent) });
        let activation = Activation {
            frame,
            at: info.entry,
            step,
            blocks: Vec::new(),
            result: None,
            site: Position::default(),
        };
        let branch = Branch { stack: vec![activation], group: Some(group), nesting, wait: None };
        let id = self.branches.insert(branch);
        self.leaves += 1;
        self.ready.push_back(id);
        (id, frame)
    }

    /// A branch has come to its end.
    pub(super) fn branch_ended(&mut self, branch: &mut Branch) {
        while let Some(activation) = branch.stack.pop() {
            self.free_frame(activation.frame);
        }
        let Some((group, _)) = branch.group else { return };
        self.leave_group(group);
    }

    /// A branch has ended with an error that nobody took.
    pub(super) fn branch_failed(&mut self, branch: &mut Branch, raised: Raised) {
        let Some((id, place)) = branch.group else {
            self.end = Some(Err(Failure::of(raised)));
            return;
        };
        let most = self.context.limits.parallel_errors;
        let program = self.program.clone();
        if let Some(group) = self.groups.get_mut(id) {
            group.failed += 1;
            if group.failed <= most {
                let name = match program.ops.get(group.op as usize) {
                    Some(Op::Parallel(parallel)) => branch_name(parallel, place),
                    _ => place.to_string(),
                };
                let map = raised.fault.value.as_map();
                let tags = map.and_then(|map| map.get("tags")).and_then(Value::as_list);
                for tag in tags.unwrap_or(&[]) {
                    if !group.tags.contains(tag) {
                        group.tags.push(tag.clone());
                    }
                }
                let failure = Failure::of(raised);
                group.errors.push(branch_error(&name, &failure));
            }
        }
        self.leave_group(id);
    }

    fn leave_group(&mut self, id: usize) {
        self.leaves -= 1;
        self.spawn_next(id);
        let is_over = self.groups.get(id).is_some_and(|group| group.running == 0);
        if !is_over {
            return;
        }
        let Some(group) = self.groups.remove(id) else { return };
        self.leaves += 1;
        if group.failed == 0 {
            self.ready.push_back(group.parent);
            return;
        }
        let Some(mut parent) = self.branches.borrow(group.parent) else { return };
        let (id, position, error) = (group.parent, group.position, group_error(&group));
        self.note_failure(id, &parent, &error);
        let flow = self.raise(&mut parent, branch_fault(error), position);
        self.settle(id, parent, flow);
    }

    fn spawn_next(&mut self, id: usize) {
        if let Some(group) = self.groups.get_mut(id) {
            group.running -= 1;
        }
        self.spawn(id);
    }
}

fn branch_name(parallel: &ParallelOp, place: usize) -> String {
    match &parallel.work {
        ParallelWork::Branches(branches) => {
            branches.get(place).map_or_else(String::new, |(name, _)| name.to_string())
        }
        ParallelWork::For(..) => place.to_string(),
    }
}

/// `{id, error: {context, payload, stackTrace}}` \[2\]
fn branch_error(name: &str, failure: &Failure) -> Value {
    let elements = failure.stack.iter().map(|at| {
        let number = |number: u32| Value::from(number.to_string());
        let position = Value::map([
            ("line", number(at.position.line)),
            ("column", number(at.position.column)),
            ("length", number(at.position.length)),
        ]);
        Value::map([
            ("step", Value::from(at.step.clone())),
            ("routine", Value::from(at.routine.clone())),
            ("position", position),
        ])
    });
    let trace = Value::map([("elements", Value::list(elements.collect()))]);
    let error = Value::map([
        ("context", Value::from(failure.context())),
        ("payload", Value::from(failure.payload.as_str())),
        ("stackTrace", trace),
    ]);
    Value::map([("id", Value::from(name)), ("error", error)])
}

const MESSAGE: &str = "UnhandledBranchError: One or more branches or iterations encountered an \
                       unhandled runtime error";

fn group_error(group: &Group) -> Value {
    let mut tags = vec![Value::from("UnhandledBranchError"), Value::from("RuntimeError")];
    for tag in &group.tags {
        if !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
    Value::map([
        ("message", Value::from(MESSAGE)),
        ("tags", Value::list(tags)),
        ("branches", Value::list(group.errors.clone())),
        ("truncated", Value::Bool(group.failed > group.errors.len() as u64)),
    ])
}

fn branch_fault(value: Value) -> Box<Fault> {
    Fault::of(value, MESSAGE)
}
