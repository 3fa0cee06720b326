//! The flows that a server has only under the self-test.
//!
//! They are built so that a broken promise shows in what they leave behind: a result that only a
//! stale attempt can have written, an effect whose receiver was told twice what it had already
//! committed.

mod branches;
mod fails;
mod late;

use std::sync::Arc;

use jobmill_engine::{FlowCard, Registry, RegistryError};
use jobmill_model::queue::Name;
use jobmill_model::{Map, Value};

pub(super) use branches::{BRANCHES, Do, SHAPE};
pub(super) use fails::{FAILS, FAILURE};
pub(super) use late::LATE;

/// The flow that is left to workers outside.
pub(super) const LENT: &str = "selftest_lent";

/// Adds the flows of the self-test to those of the binary.
///
/// # Errors
/// A name that is taken.
pub(crate) fn with_flows(registry: Registry) -> Result<Registry, RegistryError> {
    let card = FlowCard {
        name: Name::trusted(BRANCHES),
        about: "Calls a counting server from two branches, with naps between.".to_owned(),
        input_schema: anything(),
        params_schema: anything(),
    };
    registry
        .with_flow(Arc::new(late::Late::default()))?
        .with_flow(Arc::new(fails::Fails))?
        .with_program(card, Arc::new(branches::Branches))
}

/// The schema that everything fits: only the self-test itself submits these jobs.
fn anything() -> Value {
    Value::from(Map::new())
}
