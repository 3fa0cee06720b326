//! Flows that do what a test needs.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use jobmill_flow::flow::{Flow, Work};
use jobmill_flow::output::write_value;
use jobmill_model::{Fault, Map, Problem, Value};

/// A door that jobs of the flow `gate` wait at.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn pass(&self, work: &Work<'_>) -> Result<(), Fault> {
        let mut open = self.open.lock().unwrap();
        while !*open {
            if work.watch.stopped() {
                return Err(Fault::cancelled());
            }
            open = self.changed.wait_timeout(open, Duration::from_millis(5)).unwrap().0;
        }
        Ok(())
    }
}

type Run = Box<dyn Fn(&mut Work<'_>) -> Result<(), Fault> + Send + Sync>;

struct Trial {
    name: &'static str,
    run: Run,
}

impl Flow for Trial {
    fn name(&self) -> &str {
        self.name
    }

    fn about(&self) -> &str {
        "Does what a test needs."
    }

    fn input_schema(&self) -> Value {
        Value::from(true)
    }

    fn params_schema(&self) -> Value {
        Value::from(true)
    }

    fn check(&self, _input: &Value, _params: &Value) -> Vec<Problem> {
        Vec::new()
    }

    fn run(&self, mut work: Work<'_>) -> Result<(), Fault> {
        (self.run)(&mut work)
    }
}

/// `echo` gives its input back, `many` makes so many entries, `trouble` always fails and may be
/// tried again, `broken` fails for good, `panics` panics, `gate` waits.
pub(crate) fn trial_flows(gate: &Arc<Gate>) -> Vec<Arc<dyn Flow>> {
    let gate = gate.clone();
    let flow = |name, run: Run| Arc::new(Trial { name, run }) as Arc<dyn Flow>;
    vec![
        flow("echo", Box::new(|work| write_value(work.output, work.input))),
        flow("many", Box::new(many)),
        flow("trouble", Box::new(|_| Err(Fault::retry("Trouble", "it rains").at("the roof")))),
        flow("broken", Box::new(|_| Err(Fault::last("Broken", "it is broken")))),
        flow("panics", Box::new(|_| panic!("on purpose"))),
        flow(
            "gate",
            Box::new(move |work| {
                gate.pass(work)?;
                write_value(work.output, &Value::from(Map::new()))
            }),
        ),
    ]
}

fn many(work: &mut Work<'_>) -> Result<(), Fault> {
    let count = work.input.as_int().unwrap_or(0);
    work.output.begin_object()?;
    for number in 0..count {
        work.output.entry(&format!("key {number}"), &Value::from(number))?;
    }
    work.output.end_object()
}
