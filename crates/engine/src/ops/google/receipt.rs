//! Receipts: what a machine's write came to, kept beside what it wrote.
//!
//! A worker may die after a write and before its outcome is in the journal; the call is then made
//! again, with the same key. Its receipt is written in the same transaction, so the repetition
//! writes nothing and hears the same. When the job has ended nobody repeats its calls.

use jobmill_model::{JobId, Value};
use jobmill_store::{DocumentName, DocumentQuery, StoreError};

use super::{Asked, documents};
use crate::engine::Shared;

/// Where receipts are: no path of Firestore begins like this.
const PARENT: &str = "receipts";
/// Receipts that are looked at in one step.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// How long the text of an id is.
const ID_CHARS: usize = 36;

/// The receipt of a call, if a machine makes it.
pub(super) fn name(asked: &Asked<'_>) -> Option<DocumentName> {
    let (job, key) = asked.job.zip(asked.key)?;
    let (collection, parent) = ("receipts".to_owned(), PARENT.to_owned());
    Some(DocumentName { collection, parent, id: format!("{job}-{key}") })
}

/// Removes the receipts of jobs that have ended.
pub(super) async fn sweep(shared: &Shared) -> Result<(), StoreError> {
    let mut after = None;
    loop {
        let query = DocumentQuery {
            collection: "receipts".to_owned(),
            parent: PARENT.to_owned(),
            descendants: false,
            after: after.take(),
            limit: PAGE,
            bytes: PAGE_BYTES,
        };
        let page = shared.store.document_list(&query).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some((last.parent.clone(), last.id.clone()));
        let job = |name: &DocumentName| name.id.get(..ID_CHARS)?.parse::<JobId>().ok();
        let ids: Vec<JobId> = page.iter().filter_map(|(name, _)| job(name)).collect();
        let jobs = shared.store.job_get(&ids).await?;
        let goes_on: Vec<JobId> =
            jobs.into_iter().flatten().filter(|it| !it.state.is_final()).map(|it| it.id).collect();
        let is_over = |name: &DocumentName| job(name).is_none_or(|job| !goes_on.contains(&job));
        let over: Vec<_> = page.into_iter().map(|(name, _)| name).filter(is_over).collect();
        let count = over.len();
        if count > 0 {
            // What could not be removed now is found again by the next round.
            let _ = documents::commit(shared, over, move |_| Ok(vec![None; count])).await;
        }
    }
}

/// What was answered before, from a receipt.
pub(super) fn answer(receipt: &jobmill_store::Document) -> Value {
    receipt.content.to_value().unwrap_or_default()
}
