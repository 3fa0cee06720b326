//! Flows that workers outside the server perform, as they were declared.

use async_trait::async_trait;
use jobmill_model::Declaration;
use jobmill_model::queue::Name;

use crate::Result;

/// What became of a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// The flow is new.
    New,
    /// It was declared before, and takes the place of that.
    Changed,
    /// It was declared before in the same way.
    Same,
    /// There are as many declared flows as there may be, see
    /// [`DECLARED_FLOWS`](jobmill_model::limits::DECLARED_FLOWS); nothing is written.
    Full,
}

/// The verbs of the declared flow.
#[async_trait]
pub trait Flows: Send + Sync {
    /// Keeps a declaration; one with the same name gives way. Jobs that are stored keep what
    /// they were accepted with.
    async fn flow_put(&self, declaration: Declaration) -> Result<Declared>;

    /// Every declaration, by name.
    async fn flow_list(&self) -> Result<Vec<Declaration>>;

    /// Forgets a declaration; answers whether it was there. Jobs of the flow stay.
    async fn flow_delete(&self, name: &Name) -> Result<bool>;
}
