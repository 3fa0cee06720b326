//! A run in memory, without an engine: the caller's world answers each effect.
//!
//! Tests script the world with it, and a terminal run can perform effects with it one by one.

use jobmill_model::machine::{
    Applied, Asked, Begin, Effect, EffectNumber, Entry, Fold, History, HttpResponse, Machine as _,
    Outcome, Program as _, Remembering as _, Seed, Then,
};
use jobmill_model::{Fault, JobId, Timestamp, Value};

use crate::machine::{StepEvent, Workflow};

/// What answers a machine's effects.
pub trait World {
    /// The outcome of an effect.
    fn perform(&mut self, number: EffectNumber, effect: &Effect) -> Outcome;

    /// Which of the effects under way is answered next, as a place in the list; the first
    /// unless told otherwise.
    fn pick(&mut self, _under_way: &[(EffectNumber, Effect)]) -> usize {
        0
    }
}

/// How a run went.
#[derive(Debug, Clone)]
pub struct Run {
    /// The result, or the fault.
    pub end: Result<Value, Fault>,
    /// The journal: every outcome in the order in which it was taken in.
    pub journal: Vec<Entry>,
    /// Every effect in the order in which it was asked for.
    pub effects: Vec<(EffectNumber, Effect)>,
}

/// The seed of local runs: always the same.
#[must_use]
pub fn seed() -> Seed {
    Seed::of(JobId::from_bytes([7; 16]), 1)
}

/// Runs a workflow to its end.
///
/// # Errors
/// A machine that breaks its rules.
pub fn run(workflow: &Workflow, input: Value, world: &mut dyn World) -> Result<Run, Fault> {
    let begin = Begin { input, params: Value::Null, seed: seed() };
    let (mut fold, applied) = Fold::start(workflow.machine(begin))?;
    let mut effects = Vec::new();
    let mut journal = Vec::new();
    settle(&mut fold, applied, &mut effects)?;
    loop {
        if let Some(end) = fold.end() {
            return Ok(Run { end: end.clone(), journal, effects });
        }
        let under_way: Vec<_> = fold.waiting().map(|(n, effect)| (n, effect.clone())).collect();
        let at = world.pick(&under_way).min(under_way.len().saturating_sub(1));
        let (number, effect) = &under_way[at];
        let outcome = world.perform(*number, effect);
        let (seq, fingerprint) = (fold.next_seq(), effect.fingerprint());
        // Nobody looks at a clock here: an instant is a place in the journal.
        let at = Timestamp::from_millis(i64::try_from(seq + 1).unwrap_or(i64::MAX));
        let entry = Entry { seq, number: *number, fingerprint, outcome, at };
        journal.push(entry.clone());
        let applied = fold.apply(entry)?;
        settle(&mut fold, applied, &mut effects)?;
    }
}

/// Folds a journal again; answers the fold and every effect that was asked for.
///
/// # Errors
/// A journal that does not fit the workflow.
pub fn refold(
    workflow: &Workflow,
    input: Value,
    journal: &[Entry],
) -> Result<(Fold, Vec<(EffectNumber, Effect)>), Fault> {
    let begin = Begin { input, params: Value::Null, seed: seed() };
    let (mut fold, applied) = Fold::start(workflow.machine(begin))?;
    let mut effects = Vec::new();
    settle(&mut fold, applied, &mut effects)?;
    for entry in journal {
        let applied = fold.apply(entry.clone())?;
        settle(&mut fold, applied, &mut effects)?;
    }
    Ok((fold, effects))
}

/// What happened to the steps of an execution, from what it was begun with and its journal, and
/// what became of them.
#[must_use]
pub fn trace(
    workflow: &Workflow,
    begin: Begin,
    journal: &[Entry],
    asked: Asked,
) -> (Vec<StepEvent>, History) {
    let mut machine = workflow.execution(begin);
    machine.record(asked);
    machine.watch();
    let mut step = machine.start();
    let mut entries = journal.iter();
    let mut events = machine.take_events();
    loop {
        step = match step.then {
            Then::Pause => machine.go_on(),
            Then::End(_) => break,
            Then::Wait => match entries.next() {
                Some(entry) => {
                    machine.set_time(entry.at);
                    machine.fold(entry.number, entry.outcome.clone())
                }
                None => break,
            },
        };
        events.extend(machine.take_events());
    }
    (events, machine.history())
}

fn settle(
    fold: &mut Fold,
    mut applied: Applied,
    effects: &mut Vec<(EffectNumber, Effect)>,
) -> Result<(), Fault> {
    loop {
        effects.append(&mut applied.asked);
        if !applied.paused {
            return Ok(());
        }
        applied = fold.go_on()?;
    }
}

/// A world where time passes only in sleeps, HTTP calls are answered with 200 and nothing, and
/// every other effect succeeds with `null`.
#[derive(Debug, Clone)]
pub struct QuietWorld {
    /// What the clock shows.
    pub now: Timestamp,
}

impl Default for QuietWorld {
    fn default() -> Self {
        Self { now: Timestamp::from_millis(1_700_000_000_000) }
    }
}

impl World for QuietWorld {
    fn perform(&mut self, number: EffectNumber, effect: &Effect) -> Outcome {
        match effect {
            Effect::Clock => Outcome::Clock(self.now),
            Effect::Sleep { until } => {
                self.now = self.now.max(*until);
                Outcome::Woken
            }
            Effect::Signal { until, .. } => {
                self.now = until.map_or(self.now, |until| self.now.max(until));
                Outcome::Woken
            }
            Effect::Http(_) => {
                let (headers, body) = (Vec::new(), Vec::new());
                Outcome::Done(HttpResponse { status: 200, headers, body }.to_value())
            }
            Effect::Callback(_) => {
                let url = format!("http://127.0.0.1/callbacks/{number}");
                Outcome::Done(Value::map([("url", Value::from(url))]))
            }
            _ => Outcome::Done(Value::Null),
        }
    }
}
