//! A flow that fails whenever it is tried, in a way that may pass.

use jobmill_flow::{Flow, Work};
use jobmill_model::{Fault, Problem, Value};

use super::anything;

/// Its name.
pub(in crate::selftest) const FAILS: &str = "selftest_fails";
/// The code of its failure.
pub(in crate::selftest) const FAILURE: &str = "SelftestFails";

/// Each try of it must be recorded once, and the job must end with the last of them.
pub(super) struct Fails;

impl Flow for Fails {
    fn name(&self) -> &str {
        FAILS
    }

    fn about(&self) -> &str {
        "Fails whenever it is tried."
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

    fn run(&self, _work: Work<'_>) -> Result<(), Fault> {
        Err(Fault::retry(FAILURE, "this flow always fails"))
    }
}
