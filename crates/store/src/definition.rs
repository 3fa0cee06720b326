//! Definitions of workflows and their revisions.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::definition::{Change, Definition, Place};
use jobmill_model::queue::Name;

use crate::Result;

/// Whether a definition has to be there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutMode {
    /// It must not be.
    Create,
    /// It must be.
    Update,
    /// It may be.
    Either,
}

/// A definition to deploy.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionPut {
    /// Its name.
    pub name: Name,
    /// Where it lives, if it is new.
    pub place: Place,
    /// What changes of it; a new one has the rest empty.
    pub change: Change,
    /// Whether it has to be there.
    pub mode: PutMode,
    /// Three random characters for the id of a new revision.
    pub suffix: String,
    /// The present.
    pub now: Timestamp,
}

/// What became of a deployment.
#[derive(Debug, Clone, PartialEq)]
pub enum Deployed {
    /// This is the present revision now.
    Done(Box<Definition>),
    /// It is there already, and must not be.
    Exists,
    /// It is not there, and must be.
    Unknown,
}

/// A page of definitions by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DefinitionPage {
    /// The definitions at their present revisions. Fewer than asked for when their sources come
    /// to [`PAGE_BYTES`](jobmill_model::limits::PAGE_BYTES).
    pub definitions: Vec<Definition>,
    /// The name after which the next page begins, if there is one.
    pub next: Option<Name>,
}

/// The verbs of the definition.
#[async_trait]
pub trait Definitions: Send + Sync {
    /// Deploys a definition.
    ///
    /// After [`Deployed::Done`]: the definition is as [`Definition::changed`] says, or as
    /// [`Definition::first`] if there was none; earlier revisions are kept as they were.
    ///
    /// # Errors
    /// [`Busy`](crate::StoreError::Busy) when too much waits to be written.
    async fn definition_put(&self, put: DefinitionPut) -> Result<Deployed>;

    /// A definition at its present revision, or at the one with this id.
    async fn definition_get(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Option<Definition>>;

    /// A page of definitions by name, those after `after`.
    async fn definition_list(&self, after: Option<&Name>, limit: usize) -> Result<DefinitionPage>;

    /// Removes a definition with all its revisions; answers whether it was there.
    ///
    /// Jobs that run it are left as they are. A definition of the same name begins anew with
    /// revision 1.
    async fn definition_delete(&self, name: &Name) -> Result<bool>;

    /// The revisions of a definition, newest first, at most `limit`, those with a number below
    /// `before`.
    async fn revision_list(
        &self,
        name: &Name,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Definition>>;
}
