//! Commits of documents: a pure function within the store's write.

use std::sync::Arc;

use jobmill_google::wire::read::Read;
use jobmill_google::wire::{Error, Status};
use jobmill_model::{Fault, Json, Timestamp, Value};
use jobmill_store::{After, Commit, Committed, Document, DocumentName};

use super::of_store;
use crate::engine::Shared;

/// Writes documents by a function that may refuse; answers them as they stood before.
pub(super) async fn commit(
    shared: &Shared,
    names: Vec<DocumentName>,
    rewrite: impl Fn(&[Option<Document>]) -> Read<After> + Send + Sync + 'static,
) -> Read<Vec<Option<Document>>> {
    let rewrite = move |present: &[Option<Document>]| rewrite(present).map_err(fault);
    let commit = Commit { names, rewrite: Arc::new(rewrite) };
    match shared.store.document_commit(commit).await {
        Ok(Committed::Done(before)) => Ok(before),
        Ok(Committed::Refused(fault)) => Err(error(&fault)),
        Err(refused) => Err(of_store(&refused)),
    }
}

/// A document, if it is there.
pub(super) async fn get(shared: &Shared, name: &DocumentName) -> Read<Option<Document>> {
    let found = shared.store.document_get(std::slice::from_ref(name)).await;
    Ok(found.map_err(|error| of_store(&error))?.pop().flatten())
}

/// Through the port, an error travels as a fault; its reason beside its text.
fn fault(error: Error) -> Fault {
    let reason = error.reason.unwrap_or_default();
    Fault::last(error.status.as_str(), error.message).with_inner(reason)
}

fn error(fault: &Fault) -> Error {
    let status = Status::named(&fault.code).unwrap_or(Status::Internal);
    let error = Error::new(status, fault.message.clone());
    let reasons = ["duplicate", "notFound", "resourceInUse", "invalid"];
    let reason = reasons.into_iter().find(|reason| fault.inner.as_deref() == Some(*reason));
    match reason {
        Some(reason) => error.because(reason),
        None => error,
    }
}

/// A document that is created now.
pub(super) fn new(content: &Value, now: Timestamp) -> Document {
    let micros = now.as_millis() * 1_000;
    Document { content: content.to_json(), created: micros, updated: micros }
}

/// A part of a document's content.
pub(super) fn part(document: &Document, name: &str) -> Value {
    let content = document.content.to_value().unwrap_or_default();
    content.as_map().and_then(|map| map.get(name)).cloned().unwrap_or_default()
}

/// A part of a document's content as text of its own.
pub(super) fn json_part(document: &Document, name: &str) -> Json {
    part(document, name).to_json()
}
