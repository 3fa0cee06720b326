//! A flow: a named kind of work, as one function from an input to an output.

use jobmill_model::{Fault, Problem, Value};

use crate::output::Output;

/// A named kind of work that one call performs.
///
/// A flow may be called again for the same job after a crash, so it must not depend on having
/// run only once.
pub trait Flow: Send + Sync {
    /// The name under which it is registered, such as `expand_reduce_flow`.
    fn name(&self) -> &str;

    /// What it does, in one sentence.
    fn about(&self) -> &str;

    /// The JSON Schema (2020-12) of its input.
    fn input_schema(&self) -> Value;

    /// The JSON Schema (2020-12) of its params.
    fn params_schema(&self) -> Value;

    /// Everything that is wrong with an input and params; pointers begin with `/input` or
    /// `/params`. Work that passes here may still fail, but not because of its form.
    fn check(&self, input: &Value, params: &Value) -> Vec<Problem>;

    /// Does the work and writes its result.
    ///
    /// # Errors
    /// Whatever went wrong; [`Class::Retry`](jobmill_model::Class::Retry) if it may pass.
    fn run(&self, work: Work<'_>) -> Result<(), Fault>;
}

/// What a flow works on and with.
pub struct Work<'a> {
    /// The job's input.
    pub input: &'a Value,
    /// The job's params.
    pub params: &'a Value,
    /// Where the result goes.
    pub output: &'a mut dyn Output,
    /// Who watches.
    pub watch: &'a dyn Watch,
}

/// Whoever watches the work: hears of its progress and may ask it to stop.
pub trait Watch: Send + Sync {
    /// Whether the work should stop: it was cancelled, timed out, or lost its lease. A flow that
    /// runs long looks at this every few milliseconds and returns [`Fault::cancelled`].
    fn stopped(&self) -> bool;

    /// Tells how far the work has come; `total` is 0 when not known. Cheap enough to call often.
    fn progress(&self, done: u64, total: u64, message: &str);
}

/// Nobody watches.
pub struct Unwatched;

impl Watch for Unwatched {
    fn stopped(&self) -> bool {
        false
    }

    fn progress(&self, _done: u64, _total: u64, _message: &str) {}
}

/// The fault of a job whose input or params are refused: every problem in one message.
///
/// ```
/// use jobmill_flow::flow::invalid;
/// use jobmill_model::Problem;
///
/// let fault = invalid(&[Problem::new("/input", "expected an object, not null")]);
/// assert_eq!(fault.to_string(), "InvalidInput: /input: expected an object, not null");
/// ```
#[must_use]
pub fn invalid(problems: &[Problem]) -> Fault {
    let problems: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Fault::last("InvalidInput", problems.join("; "))
}
