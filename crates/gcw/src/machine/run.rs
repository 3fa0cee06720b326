//! The operations, one after the other, until the branch waits.

use super::Machine;
use super::branch::{Activation, Block, Branch, Frame};
use super::raise::{Flow, Raised};
use crate::fault::{Answer, Fault};
use crate::program::{CallArgs, Expr, LoopOp, Op, RetryOp, RoutineCall};
use crate::source::place::Position;
use crate::value::Value;

/// A turn's budget is counted in steps; going through this many bytes costs as much.
const BYTES_PER_STEP: u64 = 4_096;

impl Machine {
    /// Opens `main`.
    pub(super) fn begin(&mut self) {
        let routine = &self.program.routines[self.program.main];
        let mut slots = vec![Value::Null; routine.slots.len()];
        if !routine.params.is_empty() {
            slots[0] = std::mem::take(&mut self.input);
        }
        self.memory = slots.iter().map(|value| value.size_bytes() as u64).sum();
        let at = routine.entry;
        let frame = self.frames.insert(Frame { slots, parent: None });
        let activation = Activation {
            frame,
            at,
            step: u32::MAX,
            blocks: Vec::new(),
            result: None,
            site: Position::default(),
        };
        let main = Branch { stack: vec![activation], group: None, nesting: 0, wait: None };
        let main = self.branches.insert(main);
        self.ready.push_back(main);
    }

    /// Runs a branch until it waits, ends, or the turn's budget is used up.
    pub(super) fn run_branch(&mut self, id: usize) {
        let Some(mut branch) = self.branches.borrow(id) else { return };
        let program = self.program.clone();
        loop {
            if self.budget <= 0 {
                self.branches.give_back(id, branch);
                self.ready.push_front(id);
                return;
            }
            let Some(activation) = branch.stack.last_mut() else { break };
            let at = activation.at;
            activation.at += 1;
            let Some(op) = program.ops.get(at as usize) else { break };
            let outcome = self.step(id, &mut branch, op, at);
            let work = self.context.work.take() / BYTES_PER_STEP;
            self.budget = self.budget.saturating_sub(i64::try_from(work).unwrap_or(i64::MAX));
            let flow = match outcome {
                Ok(flow) => flow,
                Err(fault) => {
                    self.note_failure(id, &branch, &fault.value);
                    self.raise(&mut branch, fault, position_of(op))
                }
            };
            if flow == Flow::Stop || self.end.is_some() {
                break;
            }
        }
        self.settle(id, branch, Flow::Stop);
    }

    /// Puts a branch back: it goes on, waits, or is over.
    pub(super) fn settle(&mut self, id: usize, branch: Branch, flow: Flow) {
        let is_over = branch.stack.is_empty();
        self.branches.give_back(id, branch);
        if is_over {
            self.note_over(id);
            self.branches.remove(id);
        } else if flow == Flow::Run {
            self.ready.push_back(id);
        }
    }

    fn step(&mut self, id: usize, branch: &mut Branch, op: &Op, at: u32) -> Answer<Flow> {
        let Some(activation) = branch.stack.last_mut() else { return Ok(Flow::Stop) };
        match op {
            Op::Step(step) => {
                let from = std::mem::replace(&mut activation.step, *step);
                self.note_step(id, branch, from);
                self.count_step()?;
            }
            Op::Assign(var, value, _) => {
                let value = self.eval(value, activation)?;
                self.write(activation.frame, *var, value)?;
            }
            Op::Append(var, item, _) => {
                let item = self.eval(item, activation)?;
                self.append(activation.frame, *var, item)?;
            }
            Op::AssignPath(parts, _) => {
                let value = self.eval(&parts.2, activation)?;
                self.write_path(activation, parts.0, &parts.1, value)?;
            }
            Op::Jump(to, depth) => {
                activation.at = *to;
                activation.blocks.truncate(usize::from(*depth));
            }
            Op::Unless(condition, to, _) => {
                let value = self.eval(condition, activation)?;
                if !crate::expr::operate::truth(&value, "a condition")? {
                    activation.at = *to;
                }
            }
            Op::Evaluate(value, _) => {
                self.eval(value, activation)?;
            }
            Op::Call(call) => self.call_routine(branch, call)?,
            Op::Effect(call) => return self.call_effect(id, branch, call),
            Op::Connector(call) => return self.call_connector(id, branch, call),
            Op::Clock(result, position) => {
                return Ok(self.ask_clock(id, branch, *result, *position));
            }
            Op::Return(value, position) => return self.return_value(branch, value, *position),
            Op::Raise(value, _) => {
                let value = self.eval(value, activation)?;
                return Err(Fault::raised(value));
            }
            Op::TryEnter(handler, error) => activation.blocks.push(Block::Try(*handler, *error)),
            Op::TryLeave | Op::CatchLeave => {
                activation.blocks.pop();
            }
            Op::RetryCheck(retry, give_up) => {
                if !self.may_retry(activation, retry)? {
                    activation.at = *give_up;
                }
            }
            Op::RetryDelay(retry) => return self.delay_retry(id, branch, retry),
            Op::Rethrow => return Ok(self.rethrow(branch)),
            Op::LoopEnter(one) => {
                let items = self.items(one, activation)?;
                activation.blocks.push(Block::Loop(items, 0));
            }
            Op::LoopNext(one, done) => self.next_item(activation, one, *done)?,
            Op::Parallel(parallel) => return self.parallel(id, branch, parallel, at),
            Op::BranchEnd => {
                self.branch_ended(branch);
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Run)
    }

    fn count_step(&mut self) -> Answer<()> {
        self.steps += 1;
        self.budget -= 1;
        let most = self.context.limits.steps_per_execution;
        if self.steps > most {
            return Err(Fault::resource(format!("an execution may take {most} steps")));
        }
        Ok(())
    }

    fn next_item(&mut self, activation: &mut Activation, one: &LoopOp, done: u32) -> Answer<()> {
        self.budget -= 1;
        let frame = activation.frame;
        for slot in &one.locals {
            let local = crate::program::VarRef { up: 0, slot: *slot };
            self.write(frame, local, Value::Null)?;
        }
        let next = match activation.blocks.last_mut() {
            Some(Block::Loop(items, at)) => {
                *at += 1;
                items.get(*at - 1).map(|item| (item, *at - 1))
            }
            _ => None,
        };
        let Some((item, place)) = next else {
            activation.blocks.pop();
            activation.at = done;
            return Ok(());
        };
        self.write(frame, one.value, item)?;
        self.write_result(frame, one.index, Value::Int(place))
    }

    fn call_routine(&mut self, branch: &mut Branch, call: &RoutineCall) -> Answer<()> {
        let most = self.context.limits.call_depth;
        if branch.stack.len() as u64 > most {
            return Err(Fault::recursion(most));
        }
        let program = self.program.clone();
        let routine = &program.routines[call.routine];
        let Some(activation) = branch.stack.last_mut() else { return Ok(()) };
        let names: Vec<&str> = routine.params.iter().map(|param| &*param.name).collect();
        let args = self.arguments(&call.args, &routine.name, &names, activation)?;
        let mut slots = vec![Value::Null; routine.slots.len()];
        let mut size = 0;
        for (at, (arg, param)) in args.into_iter().zip(&routine.params).enumerate() {
            slots[at] = match (arg, &param.default) {
                (Some(value), _) => value,
                (None, Some(default)) => self.eval(default, activation)?,
                (None, None) => return Err(crate::stdlib::missing(&routine.name, &param.name)),
            };
        }
        slots.iter().for_each(|value| size += value.size_bytes() as u64);
        activation.site = call.position;
        let (step, frame) = (activation.step, Frame { slots, parent: None });
        let frame = self.frames.insert(frame);
        branch.stack.push(Activation {
            frame,
            at: routine.entry,
            step,
            blocks: Vec::new(),
            result: call.result,
            site: Position::default(),
        });
        self.account(0, size)
    }

    /// The arguments of a call in the order of the parameters.
    pub(super) fn arguments(
        &self,
        args: &CallArgs,
        callee: &str,
        params: &[&str],
        activation: &Activation,
    ) -> Answer<Vec<Option<Value>>> {
        let whole = match args {
            CallArgs::Fixed(args) => {
                return args
                    .iter()
                    .map(|arg| arg.as_ref().map(|arg| self.eval(arg, activation)).transpose())
                    .collect();
            }
            CallArgs::Dynamic(whole) => self.eval(whole, activation)?,
        };
        let mut fitted = vec![None; params.len()];
        let unfit = |what: String| Fault::of_type(format!("{callee}() has no argument {what}"));
        match &whole {
            Value::Null => {}
            Value::Map(map) => {
                for (name, value) in map.iter() {
                    let at = params.iter().position(|param| **param == **name);
                    let at = at.ok_or_else(|| unfit(format!("'{name}'")))?;
                    fitted[at] = Some(value.clone());
                }
            }
            Value::List(list) => {
                for (at, value) in list.items().iter().enumerate() {
                    let place =
                        fitted.get_mut(at).ok_or_else(|| unfit(format!("number {}", at + 1)))?;
                    *place = Some(value.clone());
                }
            }
            other => {
                let message =
                    format!("'args' must be a map or a list, got: {}", other.message_name());
                return Err(Fault::of_type(message));
            }
        }
        Ok(fitted)
    }

    fn return_value(&mut self, branch: &mut Branch, value: &Expr, at: Position) -> Answer<Flow> {
        let Some(activation) = branch.stack.last() else { return Ok(Flow::Stop) };
        let value = self.eval(value, activation)?;
        if branch.stack.len() == 1 && branch.group.is_none() {
            let json = value.to_json().map_err(|why| {
                Fault::of_type(format!("{} cannot be returned, it has no JSON form", why.0)).at(at)
            })?;
            self.end = Some(Ok(json));
            return Ok(Flow::Stop);
        }
        let result = activation.result;
        let frame = activation.frame;
        branch.stack.pop();
        self.free_frame(frame);
        let Some(caller) = branch.stack.last() else {
            self.branch_ended(branch);
            return Ok(Flow::Stop);
        };
        self.write_result(caller.frame, result, value)?;
        Ok(Flow::Run)
    }

    fn rethrow(&mut self, branch: &mut Branch) -> Flow {
        let block = branch.stack.last_mut().and_then(|activation| activation.blocks.pop());
        match block {
            Some(Block::Caught(raised)) => self.unwind(branch, *raised),
            _ => {
                let fault = Fault::resource("an error was lost");
                self.unwind(branch, Raised { fault, stack: Vec::new() })
            }
        }
    }

    fn may_retry(&mut self, activation: &Activation, retry: &RetryOp) -> Answer<bool> {
        let most = number(&self.eval(&retry.max_retries, activation)?, "max_retries")?;
        let taken = self.eval(&Expr::Var(retry.count), activation)?.as_number().unwrap_or(0.0);
        Ok(taken < most)
    }

    fn delay_retry(&mut self, id: usize, branch: &mut Branch, retry: &RetryOp) -> Answer<Flow> {
        let Some(activation) = branch.stack.last() else { return Ok(Flow::Stop) };
        let part = |expr: &Expr, name: &str| number(&self.eval(expr, activation)?, name);
        let initial = part(&retry.initial_delay, "initial_delay")?;
        let most = part(&retry.max_delay, "max_delay")?;
        let multiplier = part(&retry.multiplier, "multiplier")?;
        let taken = self.eval(&Expr::Var(retry.count), activation)?.as_number().unwrap_or(0.0);
        let delay = (initial * multiplier.powf(taken)).min(most);
        let frame = activation.frame;
        self.write(frame, retry.count, Value::Int(taken as i64 + 1))?;
        self.count_step()?;
        Ok(self.ask_sleep(id, branch, delay, retry.position))
    }
}

/// A number of a retry policy; text of a number is taken too, null is 0. \[2\]
fn number(value: &Value, name: &str) -> Answer<f64> {
    let number = match value {
        Value::Null => Some(0.0),
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_number(),
    };
    number.filter(|number| number.is_finite() && *number >= 0.0).ok_or_else(|| {
        Fault::of_type(format!("'{name}' of a retry policy must be a number, got: {value}"))
    })
}

/// The place that an operation's errors name unless they know better.
fn position_of(op: &Op) -> Position {
    match op {
        Op::Assign(_, _, at)
        | Op::Append(_, _, at)
        | Op::AssignPath(_, at)
        | Op::Unless(_, _, at)
        | Op::Evaluate(_, at)
        | Op::Clock(_, at)
        | Op::Return(_, at)
        | Op::Raise(_, at) => *at,
        Op::Call(call) => call.position,
        Op::Effect(call) => call.position,
        Op::Connector(call) => call.position,
        Op::RetryCheck(retry, _) | Op::RetryDelay(retry) => retry.position,
        Op::LoopEnter(one) | Op::LoopNext(one, _) => one.position,
        Op::Parallel(parallel) => parallel.position,
        _ => Position::default(),
    }
}
