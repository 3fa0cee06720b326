//! A job of many steps: a pure machine, the effects it asks for, the fold of its journal.
//!
//! A machine never touches the world. It starts, asks for effects, and is told their outcomes
//! one at a time; the list of those outcomes, in the order in which they were committed, is the
//! job's journal, and folding the journal again gives the same machine.

mod effect;
mod fold;
mod history;
mod journal;

pub use effect::{
    CallbackEndpoint, ConnectorCall, Effect, EffectNumber, HttpAuth, HttpCall, HttpResponse,
    LogEntry, OpCall, Outcome,
};
pub use fold::{Applied, Fold};
pub use history::{Asked, History, StepEntry, StepName, StepState};
pub use journal::{Entry, JournalError};

use crate::fault::Fault;
use crate::id::JobId;
use crate::time::Timestamp;
use crate::value::Value;

/// Where the randomness of a run comes from: the same run, the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The seed of the `run`-th run (from 1) of a job.
    #[must_use]
    pub fn of(job: JobId, run: u32) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(job.as_bytes()).update(&run.to_be_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// Sixteen bytes that belong to the `number`-th use, the same whenever they are asked for.
    #[must_use]
    pub fn bytes(&self, number: u64) -> [u8; 16] {
        let hash = blake3::keyed_hash(&self.0, &number.to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        bytes
    }

    /// The key that an effect carries, so that its receiver can tell a repetition.
    #[must_use]
    pub fn idempotency_key(&self, number: EffectNumber) -> String {
        uuid::Builder::from_custom_bytes(self.bytes(number.0)).into_uuid().to_string()
    }
}

/// What a machine is started with.
#[derive(Debug, Clone, PartialEq)]
pub struct Begin {
    /// The job's input.
    pub input: Value,
    /// The job's params.
    pub params: Value,
    /// The run's seed.
    pub seed: Seed,
}

/// A flow of many steps, ready to be run any number of times.
pub trait Program: Send + Sync {
    /// Makes the machine of one run. Nothing has happened to it yet.
    fn machine(&self, begin: Begin) -> Box<dyn Machine>;

    /// A machine of the same run that remembers its steps, where they have names.
    fn remembering(&self, _begin: Begin, _asked: Asked) -> Option<Box<dyn Remembering>> {
        None
    }
}

/// One run of a program.
///
/// The methods must depend on nothing but their arguments and the calls before them. A call runs
/// every branch that can go on until each waits, the machine ends, or a turn's budget
/// ([`limits::TURN_STEPS`](crate::limits::TURN_STEPS)) is used up.
pub trait Machine: Send {
    /// Begins. Called once, first.
    fn start(&mut self) -> Step;

    /// Takes in the outcome of an effect that it asked for and was not yet told of.
    fn fold(&mut self, number: EffectNumber, outcome: Outcome) -> Step;

    /// Goes on after a pause.
    fn go_on(&mut self) -> Step;
}

/// A machine that remembers what became of its steps.
pub trait Remembering: Machine {
    /// What happens from here on happens at this instant.
    fn set_time(&mut self, now: Timestamp);

    /// What is remembered.
    fn history(&self) -> History;
}

/// What a call of a machine came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// New effects, numbered by the machine from 0 in the order in which it asks.
    pub effects: Vec<(EffectNumber, Effect)>,
    /// What comes next.
    pub then: Then,
}

/// What comes after a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Then {
    /// Every branch waits for an outcome.
    Wait,
    /// The turn's budget is used up: call [`Machine::go_on`] before anything else.
    Pause,
    /// It has ended; effects still under way do not matter any more.
    End(Result<Value, Fault>),
}
