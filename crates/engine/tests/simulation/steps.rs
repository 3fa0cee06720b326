//! The machine of the simulation: branches of steps that its input spells out.
//!
//! `call` and `must` call the op `touch` (the machine catches the failure of a `call`), `log`
//! writes a log entry, `sleep:MS` sleeps, `signal:NAME` waits for a signal, `wait:NAME:MS` waits
//! for one so long, `pause` gives others a turn, `panic` panics. The result lists what came back
//! to each branch.

use std::collections::BTreeMap;

use jobmill_model::machine::{
    Begin, Effect, EffectNumber, LogEntry, Machine, OpCall, Outcome, Program, Seed, Step, Then,
};
use jobmill_model::queue::Name;
use jobmill_model::{Fault, Span, Timestamp, Value};

/// The flow's name.
pub(crate) const STEPS: &str = "steps";
/// The op's name.
pub(crate) const TOUCH: &str = "touch";

/// The text by which an op is told which run calls it.
pub(crate) fn tag_of(seed: Seed) -> String {
    seed.bytes(u64::MAX).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) struct Steps;

impl Program for Steps {
    fn machine(&self, begin: Begin) -> Box<dyn Machine> {
        let branches = steps_of(&begin.input).into_iter().map(|steps| Branch {
            steps,
            got: Vec::new(),
            clock: None,
        });
        Box::new(Run {
            tag: tag_of(begin.seed),
            branches: branches.collect(),
            next: 0,
            asked: BTreeMap::new(),
            paused: Vec::new(),
        })
    }
}

/// The steps in a job's input, branch by branch.
pub(crate) fn steps_of(input: &Value) -> Vec<Vec<String>> {
    let field = input.as_map().and_then(|map| map.get("steps"));
    let text = |step: &Value| step.as_str().unwrap_or_default().to_owned();
    let branch = |branch: &Value| branch.as_list().unwrap_or_default().iter().map(text).collect();
    field.and_then(Value::as_list).unwrap_or_default().iter().map(branch).collect()
}

/// How many signals of each name the steps may take.
pub(crate) fn signals_of(input: &Value) -> BTreeMap<String, usize> {
    let mut wanted = BTreeMap::new();
    for step in steps_of(input).iter().flatten() {
        let mut words = step.split(':');
        if let (Some("signal" | "wait"), Some(name)) = (words.next(), words.next()) {
            *wanted.entry(name.to_owned()).or_default() += 1;
        }
    }
    wanted
}

struct Branch {
    steps: Vec<String>,
    got: Vec<Value>,
    clock: Option<Timestamp>,
}

struct Run {
    tag: String,
    branches: Vec<Branch>,
    next: u64,
    asked: BTreeMap<u64, usize>,
    paused: Vec<usize>,
}

impl Run {
    /// What a branch asks for next; nothing when it pauses or has ended.
    fn ask(&mut self, number: usize) -> Option<(EffectNumber, Effect)> {
        let branch = &mut self.branches[number];
        let place = branch.got.len();
        let words: Vec<&str> = branch.steps.get(place)?.split(':').collect();
        let millis = |text: &str| Span::from_millis(text.parse().unwrap_or(0));
        let effect = match (words.as_slice(), branch.clock.take()) {
            (["pause"], _) => {
                branch.got.push(Value::from("paused"));
                self.paused.push(number);
                return None;
            }
            (["panic"], _) => panic!("simulated panic of a machine"),
            (["log"], _) => {
                let payload = Value::from(format!("{number}.{place}"));
                Effect::Log(LogEntry { severity: "DEBUG".to_owned(), payload })
            }
            (["sleep", _] | ["wait", ..], None) => Effect::Clock,
            (["sleep", span], Some(now)) => Effect::Sleep { until: now.after(millis(span)) },
            (["signal", name], _) => Effect::Signal { name: Name::trusted(*name), until: None },
            (["wait", name, span], Some(now)) => {
                let until = Some(now.after(millis(span)));
                Effect::Signal { name: Name::trusted(*name), until }
            }
            _ => {
                let input = Value::map([
                    ("run", self.tag.as_str().into()),
                    ("at", Value::from(format!("{number}.{place}"))),
                ]);
                Effect::Op(OpCall { op: Name::trusted(TOUCH), input })
            }
        };
        self.asked.insert(self.next, number);
        self.next += 1;
        Some((EffectNumber(self.next - 1), effect))
    }

    fn step(&mut self, branches: impl IntoIterator<Item = usize>) -> Step {
        let effects = branches.into_iter().filter_map(|branch| self.ask(branch)).collect();
        let then = if !self.paused.is_empty() {
            Then::Pause
        } else if self.asked.is_empty() {
            let got = self.branches.iter().map(|branch| Value::from(branch.got.clone()));
            Then::End(Ok(Value::list(got)))
        } else {
            Then::Wait
        };
        Step { effects, then }
    }
}

impl Machine for Run {
    fn start(&mut self) -> Step {
        self.step(0..self.branches.len())
    }

    fn fold(&mut self, number: EffectNumber, outcome: Outcome) -> Step {
        let asked = self.asked.remove(&number.0).expect("an outcome is that of an effect");
        let branch = &mut self.branches[asked];
        match outcome {
            Outcome::Clock(now) => branch.clock = Some(now),
            Outcome::Done(value) | Outcome::Signal(value) => branch.got.push(value),
            Outcome::Woken => branch.got.push(Value::from("woken")),
            Outcome::Failed { code, message } => {
                if branch.steps[branch.got.len()] == "must" {
                    let then = Then::End(Err(Fault::last(code, message)));
                    return Step { effects: Vec::new(), then };
                }
                branch.got.push(Value::from(format!("failed: {code}")));
            }
        }
        self.step([asked])
    }

    fn go_on(&mut self) -> Step {
        let paused = std::mem::take(&mut self.paused);
        self.step(paused)
    }
}
