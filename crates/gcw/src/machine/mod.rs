//! The machine of one execution: branches that run until they wait, in a fixed order.
//!
//! An outcome runs its own branch until that branch waits, then the branches that this made
//! ready, first come first served. A turn's budget pauses a branch; it stays the first to go on.

mod assign;
mod branch;
mod failure;
mod parallel;
mod raise;
mod record;
mod run;
mod wait;

use std::collections::VecDeque;
use std::sync::Arc;

use jobmill_model as model;
use jobmill_model::machine::{
    Asked, Begin, Effect, EffectNumber, Machine as ModelMachine, Outcome, Remembering, Step, Then,
};

use crate::program::Program;
use crate::stdlib::Context;
use crate::value::{Map, Value};

use branch::{Branch, Frame, Slab};
pub use failure::{Failure, StackElement};
use parallel::Group;
use record::Recorder;
pub use record::{StepEvent, StepEventKind};

/// A checked definition with the variables that its executions see.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// The program.
    pub program: Arc<Program>,
    /// Built-in and user variables, the same for every execution.
    pub env: Arc<Map>,
}

/// The name that `params` gives the built-in variables of one execution under.
pub const ENV_PARAM: &str = "env";

impl Workflow {
    /// The machine of one execution. `params.env`, an object, adds variables or replaces those
    /// of the workflow: the execution's own id, for one.
    #[must_use]
    pub fn execution(&self, begin: Begin) -> Machine {
        let own = begin.params.as_map().and_then(|map| map.get(ENV_PARAM));
        let own = own.and_then(model::Value::as_map).into_iter().flat_map(model::Map::iter);
        let own = own.map(|(name, value)| (name.clone(), Value::from(value))).collect();
        Machine::new(self, own, begin)
    }
}

impl model::machine::Program for Workflow {
    fn machine(&self, begin: Begin) -> Box<dyn ModelMachine> {
        Box::new(self.execution(begin))
    }

    fn remembering(&self, begin: Begin, asked: Asked) -> Option<Box<dyn Remembering>> {
        let mut machine = self.execution(begin);
        machine.record(asked);
        Some(Box::new(machine))
    }
}

/// One execution.
#[derive(Debug)]
pub struct Machine {
    program: Arc<Program>,
    context: Context,
    input: Value,
    frames: Slab<Frame>,
    branches: Slab<Branch>,
    groups: Slab<Group>,
    ready: VecDeque<usize>,
    /// Effects under way and the branches that wait for them, in order of the effects.
    waiting: Vec<(u64, usize)>,
    asked: Vec<(EffectNumber, Effect)>,
    next_effect: u64,
    callbacks: Vec<(Arc<str>, model::queue::Name)>,
    next_callback: u64,
    /// Branches that wait for something else than branches of their own.
    leaves: usize,
    steps: u64,
    memory: u64,
    budget: i64,
    recorder: Option<Box<Recorder>>,
    end: Option<Result<model::Value, Failure>>,
}

impl Machine {
    /// A machine to which nothing has happened yet.
    fn new(workflow: &Workflow, own_env: Map, begin: Begin) -> Self {
        let program = workflow.program.clone();
        let limits = program.limits.clone();
        Self {
            program,
            context: Context::new(workflow.env.clone(), own_env, begin.seed, limits),
            input: Value::from(&begin.input),
            frames: Slab::default(),
            branches: Slab::default(),
            groups: Slab::default(),
            ready: VecDeque::new(),
            waiting: Vec::new(),
            asked: Vec::new(),
            next_effect: 0,
            callbacks: Vec::new(),
            next_callback: 0,
            leaves: 1,
            steps: 0,
            memory: 0,
            budget: 0,
            recorder: None,
            end: None,
        }
    }

    /// How many steps the execution has taken.
    #[must_use]
    pub fn steps_taken(&self) -> u64 {
        self.steps
    }

    /// The accounted bytes of all variables.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory
    }

    /// How many branches exist at this moment, the main one included.
    #[must_use]
    pub fn branches_alive(&self) -> usize {
        self.branches.len()
    }

    /// Where each branch is: routine and step, in the order of the branches.
    #[must_use]
    pub fn current_steps(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let program = &self.program;
        let at = |branch: &Branch| {
            let info = program.steps.get(branch.stack.last()?.step as usize)?;
            Some((info.routine.clone(), info.name.clone()))
        };
        self.branches.iter().filter_map(at).collect()
    }

    /// The steps that are open in the branch that waits for an effect, innermost first.
    #[must_use]
    pub fn waiting_step(&self, number: EffectNumber) -> Option<(Arc<str>, Arc<str>)> {
        let at = self.waiting.binary_search_by_key(&number.0, |(number, _)| *number).ok()?;
        let branch = self.branches.get(self.waiting[at].1)?;
        let info = self.program.steps.get(branch.stack.last()?.step as usize)?;
        Some((info.routine.clone(), info.name.clone()))
    }

    /// How the execution ended, if it has.
    #[must_use]
    pub fn ended(&self) -> Option<&Result<model::Value, Failure>> {
        self.end.as_ref()
    }

    fn turn(&mut self) -> Step {
        self.budget = i64::try_from(model::limits::TURN_STEPS).unwrap_or(i64::MAX);
        while self.end.is_none()
            && let Some(branch) = self.ready.pop_front()
        {
            self.run_branch(branch);
            if self.budget <= 0 && self.end.is_none() && !self.ready.is_empty() {
                return Step { effects: std::mem::take(&mut self.asked), then: Then::Pause };
            }
        }
        let effects = std::mem::take(&mut self.asked);
        let then = match &self.end {
            Some(Ok(value)) => Then::End(Ok(value.clone())),
            Some(Err(failure)) => Then::End(Err(failure.to_fault())),
            None => Then::Wait,
        };
        Step { effects, then }
    }
}

impl ModelMachine for Machine {
    fn start(&mut self) -> Step {
        self.begin();
        self.turn()
    }

    fn fold(&mut self, number: EffectNumber, outcome: Outcome) -> Step {
        if let Ok(at) = self.waiting.binary_search_by_key(&number.0, |(number, _)| *number) {
            let (_, branch) = self.waiting.remove(at);
            self.answer(branch, outcome);
        }
        self.turn()
    }

    fn go_on(&mut self) -> Step {
        self.turn()
    }
}
