//! A flow whose first try outlives its time limit and then reports a result after all.
//!
//! The engine ends that attempt from outside and begins another. The first one waits until the
//! other has begun and only then returns, as if it had succeeded: a late attempt by design. Its
//! result says so, and must never be recorded.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobmill_flow::output::write_value;
use jobmill_flow::{Flow, Watch, Work};
use jobmill_model::{Fault, Problem, Value};

use super::anything;

/// Its name.
pub(in crate::selftest) const LATE: &str = "selftest_late";

/// How long the waiting attempt rests between two looks.
const LOOK: Duration = Duration::from_millis(2);
/// It gives up after so many looks; counted, because a frozen process must not run out of time.
const LOOKS: u32 = 500;

/// How often each job was begun in this process, and whether one of them is late right now: a
/// late attempt holds a worker, so there is one at a time.
#[derive(Default)]
pub(super) struct Late {
    state: Mutex<State>,
    begun: Condvar,
}

#[derive(Default)]
struct State {
    begins: HashMap<String, u32>,
    is_busy: bool,
}

impl Flow for Late {
    fn name(&self) -> &str {
        LATE
    }

    fn about(&self) -> &str {
        "Outlives its time limit at its first try and reports a result afterwards."
    }

    fn input_schema(&self) -> Value {
        anything()
    }

    fn params_schema(&self) -> Value {
        anything()
    }

    fn check(&self, _input: &Value, _params: &Value) -> Vec<Problem> {
        Vec::new()
    }

    fn run(&self, work: Work<'_>) -> Result<(), Fault> {
        let job = work.input.as_str().unwrap_or_default();
        let late = self.begin(job);
        if late && !self.outlive(job, work.watch) {
            return Err(Fault::cancelled());
        }
        let result = Value::map([("job", Value::from(job)), ("late", Value::from(late))]);
        write_value(work.output, &result)
    }
}

impl Late {
    /// Counts the begin; whether this attempt is to be the late one.
    fn begin(&self, job: &str) -> bool {
        let mut state = self.state();
        let begins = state.begins.entry(job.to_owned()).or_default();
        *begins += 1;
        let late = *begins == 1 && !state.is_busy;
        state.is_busy |= late;
        self.begun.notify_all();
        late
    }

    /// Waits until this attempt was stopped and another has begun; whether that came to pass.
    fn outlive(&self, job: &str, watch: &dyn Watch) -> bool {
        let mut state = self.state();
        let mut overtaken = false;
        for _ in 0..LOOKS {
            overtaken = watch.stopped() && state.begins.get(job).is_some_and(|count| *count > 1);
            if overtaken {
                break;
            }
            let waited = self.begun.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_busy = false;
        overtaken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobmill_flow::local::run_into;
    use jobmill_flow::output::ValueWriter;

    struct Stopped(bool);

    impl Watch for Stopped {
        fn stopped(&self) -> bool {
            self.0
        }

        fn progress(&self, _done: u64, _total: u64, _message: &str) {}
    }

    fn run(flow: &Late, stopped: bool) -> Result<String, Fault> {
        let mut output = ValueWriter::default();
        let (input, watch) = (Value::from("j"), Stopped(stopped));
        run_into(flow, &input, &Value::Null, &mut output, &watch)?;
        Ok(output.finish()?.to_string())
    }

    #[test]
    fn the_first_try_returns_after_the_second_has_begun_and_says_that_it_is_late() {
        let flow = Late::default();
        std::thread::scope(|scope| {
            let first = scope.spawn(|| run(&flow, true));
            while !flow.state().is_busy {
                std::thread::yield_now();
            }
            assert_eq!(run(&flow, false).unwrap(), r#"{"job":"j","late":false}"#);
            assert_eq!(first.join().unwrap().unwrap(), r#"{"job":"j","late":true}"#);
        });
    }

    #[test]
    fn a_first_try_that_nobody_overtakes_gives_up() {
        assert_eq!(run(&Late::default(), false).unwrap_err(), Fault::cancelled());
    }
}
