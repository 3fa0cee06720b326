//! The world outside the server: flows and ops whose fate is seeded, and who runs them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jobmill_engine::performers::{Performer, Work as Piece};
use jobmill_engine::{FlowCard, Registry};
use jobmill_flow::output::write_value;
use jobmill_flow::{Flow, Work};
use jobmill_model::queue::Name;
use jobmill_model::{Fault, Problem, Value};
use parking_lot::Mutex;

use super::dice::Dice;
use super::steps::{STEPS, Steps, TOUCH};
use super::time::Time;
use super::witness::Witness;

/// The name of the flow of one call.
pub(crate) const WORK: &str = "work";

/// What survives every crash.
pub(crate) struct Outside {
    pub(crate) seed: u64,
    pub(crate) time: Arc<Time>,
    pub(crate) witness: Arc<Mutex<Witness>>,
    /// The process that is up now; others are frozen or gone.
    pub(crate) present: AtomicU64,
}

impl Outside {
    fn is_present(&self, life: u64) -> bool {
        self.present.load(Ordering::Relaxed) == life
    }

    /// What a process can perform.
    pub(crate) fn registry(self: &Arc<Self>, life: u64) -> Registry {
        let outside = self.clone();
        let card = FlowCard {
            name: Name::trusted(STEPS),
            about: "Does the steps of its input.".to_owned(),
            input_schema: Value::Bool(true),
            params_schema: Value::Bool(true),
        };
        Registry::new()
            .with_flow(Arc::new(WorkFlow { outside: self.clone(), life }))
            .and_then(|registry| registry.with_program(card, Arc::new(Steps)))
            .and_then(|registry| {
                registry.with_op(TOUCH, move |input, context| {
                    outside.touch(life, input, context.idempotency_key)
                })
            })
            .expect("the names differ")
    }

    fn touch(&self, life: u64, input: &Value, key: &str) -> Result<Value, Fault> {
        let field = |name: &str| input.as_map().and_then(|map| map.get(name)?.as_str());
        let tag = field("run").unwrap_or_default();
        let number = self.witness.lock().touched(life, self.is_present(life), key, tag);
        let mut dice = Dice::new(self.seed ^ number as u64, "touch");
        match dice.within(0, 99) {
            0..=4 => panic!("simulated panic of an op"),
            5..=19 => Err(Fault::last("Touchy", "does not like to be touched")),
            _ => Ok(Value::map([
                ("at", field("at").unwrap_or_default().into()),
                ("number", number.into()),
            ])),
        }
    }
}

/// A flow of one call: succeeds, fails, fails for now or panics.
struct WorkFlow {
    outside: Arc<Outside>,
    life: u64,
}

impl Flow for WorkFlow {
    fn name(&self) -> &str {
        WORK
    }

    fn about(&self) -> &str {
        "Does as the dice say."
    }

    fn input_schema(&self) -> Value {
        Value::Bool(true)
    }

    fn params_schema(&self) -> Value {
        Value::Bool(true)
    }

    fn check(&self, _input: &Value, _params: &Value) -> Vec<Problem> {
        Vec::new()
    }

    fn run(&self, work: Work<'_>) -> Result<(), Fault> {
        let label = label_of(work.input);
        let call = {
            let mut witness = self.outside.witness.lock();
            let call = witness.deeds.call(&label, self.life, self.outside.time.now());
            let life = self.life;
            witness.event(|_| format!("life {life}: call {call} of {label}"));
            call
        };
        work.watch.progress(1, 2, "half way");
        if work.watch.stopped() {
            return Err(Fault::cancelled());
        }
        let mut dice = Dice::new(self.outside.seed ^ call as u64, &label);
        match dice.within(0, 99) {
            0..=3 => panic!("simulated panic of a flow"),
            4..=9 => Err(Fault::last("Bad", "never works")),
            10..=34 => Err(Fault::retry("Busy", "works later")),
            _ => {
                let result = [("job", Value::from(label)), ("call", call.into())];
                write_value(work.output, &Value::map(result))
            }
        }
    }
}

/// The name that the sender has given to a job.
pub(crate) fn label_of(input: &Value) -> String {
    let label = input.as_map().and_then(|map| map.get("job")?.as_str());
    label.unwrap_or_default().to_owned()
}

/// Runs flows and ops on the one thread, each after a while.
pub(crate) struct OneThread {
    time: Arc<Time>,
    dice: Mutex<Dice>,
}

impl OneThread {
    pub(crate) fn new(time: Arc<Time>, dice: Dice) -> Self {
        Self { time, dice: Mutex::new(dice) }
    }
}

impl Performer for OneThread {
    fn take(&self, work: Piece) {
        let wait = {
            let mut dice = self.dice.lock();
            if dice.percent(1) { dice.within(0, 12_000_000) } else { dice.delay(8_000, 400_000) }
        };
        let performed = self.time.sleep(wait);
        tokio::spawn(async move {
            performed.await;
            work();
        });
    }

    fn think(&self, work: Piece) {
        self.take(work);
    }
}
