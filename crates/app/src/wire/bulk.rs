//! What was done to many jobs.

use jobmill_engine::BulkDone;
use serde::Serialize;
use utoipa::ToSchema;

/// What was done to many jobs.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkDone)]
pub(crate) struct Done {
    /// Whether they were only counted.
    dry_run: bool,
    /// Jobs that matched.
    matched: u64,
    /// Jobs to which it was done; those that moved on meanwhile were passed over.
    changed: u64,
    /// Where to go on with `cursor`, if the time was over before the last job.
    next: Option<String>,
}

impl Done {
    pub(crate) fn new(done: BulkDone, dry_run: bool) -> Self {
        let BulkDone { matched, changed, next } = done;
        Self { dry_run, matched, changed, next: next.map(|id| id.to_string()) }
    }
}
