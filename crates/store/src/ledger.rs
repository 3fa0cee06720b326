//! The results of a worker's steps, so that a worker that takes over need not do them again.

use async_trait::async_trait;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json, Token};

use crate::Result;

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectPut {
    /// The job.
    pub id: JobId,
    /// The lease.
    pub token: Token,
    /// The step, by a name of its own within the job.
    pub name: Name,
    /// What it came to.
    pub value: Json,
}

/// What became of the result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Noted {
    /// It is in the ledger.
    New,
    /// The step had a result before, which counts; nothing is written.
    Known(Json),
    /// The lease had ended before; nothing is written.
    Stale,
    /// The ledger has as many steps as it may, see
    /// [`LEDGER_EFFECTS`](jobmill_model::limits::LEDGER_EFFECTS); nothing is written.
    Full,
}

/// The verbs of the ledger.
#[async_trait]
pub trait Ledgers: Send + Sync {
    /// Records the result of a step, once a run: the first one counts.
    ///
    /// The ledger is kept from attempt to attempt and from worker to worker, as the journal is,
    /// and is gone when its run has ended.
    async fn effect_put(&self, put: EffectPut) -> Result<Noted>;

    /// The result of a step in the present run.
    async fn effect_get(&self, id: JobId, name: &Name) -> Result<Option<Json>>;

    /// The steps of the present run with their results, by name, after the step `after`; at most
    /// `limit`.
    async fn effect_list(
        &self,
        id: JobId,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Name, Json)>>;
}
