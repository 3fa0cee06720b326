//! Effects: a branch asks and waits; an outcome lets it go on.

use std::sync::Arc;

use jobmill_model::machine::{Effect, EffectNumber, Outcome};
use jobmill_model::queue::Name;

use super::Machine;
use super::branch::{Branch, Wait};
use super::raise::Flow;
use crate::effect::{self, Await, Callbacks, Reply, Request};
use crate::fault::Answer;
use crate::program::{ConnectorOp, EffectCall, VarRef};
use crate::source::place::Position;
use crate::value::Value;

struct Names<'a> {
    known: &'a [(Arc<str>, Name)],
    next: &'a mut u64,
}

impl Callbacks for Names<'_> {
    fn next_name(&mut self) -> Name {
        *self.next += 1;
        Name::trusted(format!("callback-{}", self.next))
    }

    fn name_of(&self, url: &str) -> Option<Name> {
        self.known.iter().rev().find(|(known, _)| **known == *url).map(|(_, name)| name.clone())
    }
}

impl Machine {
    fn ask(
        &mut self,
        id: usize,
        branch: &mut Branch,
        (waits, effect): (Await, Effect),
        result: Option<VarRef>,
        position: Position,
    ) -> Flow {
        let number = self.next_effect;
        self.next_effect += 1;
        self.asked.push((EffectNumber(number), effect));
        self.waiting.push((number, id));
        branch.wait = Some(Wait { waits, result, position });
        Flow::Stop
    }

    pub(super) fn ask_clock(
        &mut self,
        id: usize,
        branch: &mut Branch,
        result: VarRef,
        position: Position,
    ) -> Flow {
        self.ask(id, branch, (Await::Clock, Effect::Clock), Some(result), position)
    }

    /// Sleeps for so many seconds, or goes on at once.
    pub(super) fn ask_sleep(
        &mut self,
        id: usize,
        branch: &mut Branch,
        seconds: f64,
        position: Position,
    ) -> Flow {
        let millis = effect::seconds_to_millis(seconds);
        if millis == 0 {
            return Flow::Run;
        }
        self.ask(id, branch, (Await::ClockThenSleep(millis), Effect::Clock), None, position)
    }

    pub(super) fn call_effect(
        &mut self,
        id: usize,
        branch: &mut Branch,
        call: &EffectCall,
    ) -> Answer<Flow> {
        let Some(activation) = branch.stack.last() else { return Ok(Flow::Stop) };
        let names: Vec<&str> = call.function.params.iter().map(|param| param.name).collect();
        let values = self.arguments(&call.args, call.function.name, &names, activation)?;
        let request =
            Request { function: call.function, values: &values, limits: &self.context.limits };
        let mut names = Names { known: &self.callbacks, next: &mut self.next_callback };
        let asked = effect::ask(call.kind, &request, &mut names)?;
        Ok(self.ask(id, branch, asked, call.result, call.position))
    }

    pub(super) fn call_connector(
        &mut self,
        id: usize,
        branch: &mut Branch,
        call: &ConnectorOp,
    ) -> Answer<Flow> {
        let Some(activation) = branch.stack.last() else { return Ok(Flow::Stop) };
        let args = self.eval(&call.args, activation)?;
        let asked = effect::connector(&call.name, &args)?;
        Ok(self.ask(id, branch, asked, call.result, call.position))
    }

    /// Gives a branch the outcome that it waits for.
    pub(super) fn answer(&mut self, id: usize, outcome: Outcome) {
        let Some(mut branch) = self.branches.borrow(id) else { return };
        let Some(wait) = branch.wait.take() else {
            self.branches.give_back(id, branch);
            return;
        };
        let Wait { waits, result, position } = wait;
        let flow = match effect::reply(waits, outcome, &self.context.limits) {
            Ok(Reply::Then(waits, effect)) => {
                self.ask(id, &mut branch, (waits, effect), result, position)
            }
            Ok(Reply::Done(value)) => self.receive(&mut branch, result, value, position),
            Ok(Reply::Address(value, name)) => {
                if let Some(Value::String(url)) = value.as_map().and_then(|map| map.get("url")) {
                    self.callbacks.push((url.clone(), name));
                }
                self.receive(&mut branch, result, value, position)
            }
            Err(fault) => {
                self.note_failure(id, &branch, &fault.value);
                self.raise(&mut branch, fault, position)
            }
        };
        let is_over = branch.stack.is_empty();
        self.branches.give_back(id, branch);
        if is_over {
            self.note_over(id);
            self.branches.remove(id);
        } else if flow == Flow::Run {
            self.ready.push_front(id);
        }
    }

    fn receive(
        &mut self,
        branch: &mut Branch,
        result: Option<VarRef>,
        value: Value,
        position: Position,
    ) -> Flow {
        let Some(frame) = branch.stack.last().map(|activation| activation.frame) else {
            return Flow::Stop;
        };
        let written = crate::expr::eval::checked(value, &self.context)
            .and_then(|value| self.write_result(frame, result, value));
        match written {
            Ok(()) => Flow::Run,
            Err(fault) => self.raise(branch, fault, position),
        }
    }
}
