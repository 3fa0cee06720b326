//! Documents: small texts under names, written together by a pure function of what is there.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use jobmill_model::{Fault, Json};

use crate::Result;

/// The name of a document. Names are sorted by collection, then parent, then id, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentName {
    /// The id of its collection.
    pub collection: String,
    /// Where its collection is: pieces with slashes in between.
    pub parent: String,
    /// Its own id.
    pub id: String,
}

/// A document as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its content.
    pub content: Json,
    /// When it was created, in microseconds since 1970.
    pub created: i64,
    /// When it was last written, in microseconds since 1970.
    pub updated: i64,
}

/// What becomes of some documents: a pure function of them as they stand.
pub trait Rewrite: Send + Sync {
    /// The documents as they shall stand, in the same order; nothing for one that shall be gone.
    ///
    /// It is called within the write, perhaps more than once, and so must neither wait nor touch
    /// anything.
    ///
    /// # Errors
    /// Why nothing shall be written.
    fn rewrite(&self, present: &[Option<Document>]) -> std::result::Result<After, Fault>;
}

/// The documents as they shall stand.
pub type After = Vec<Option<Document>>;

impl<F> Rewrite for F
where
    F: Fn(&[Option<Document>]) -> std::result::Result<After, Fault> + Send + Sync,
{
    fn rewrite(&self, present: &[Option<Document>]) -> std::result::Result<After, Fault> {
        self(present)
    }
}

/// Documents to be written together.
#[derive(Clone)]
pub struct Commit {
    /// Which; each once.
    pub names: Vec<DocumentName>,
    /// What becomes of them.
    pub rewrite: Arc<dyn Rewrite>,
}

impl Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit").field("names", &self.names).finish_non_exhaustive()
    }
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Committed {
    /// It is written; the documents as they stood before.
    Done(Vec<Option<Document>>),
    /// The function refused, and nothing is written.
    Refused(Fault),
}

/// Which documents to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentQuery {
    /// The id of the collection.
    pub collection: String,
    /// Where it is.
    pub parent: String,
    /// Whether collections of this id below that place count as well.
    pub descendants: bool,
    /// Only documents behind this parent and id.
    pub after: Option<(String, String)>,
    /// At most so many.
    pub limit: usize,
    /// A page ends early when its contents come to this size; it has one document at least.
    pub bytes: usize,
}

/// A page of documents.
pub type DocumentPage = Vec<(DocumentName, Document)>;

/// The verbs of the document.
#[async_trait]
pub trait Documents: Send + Sync {
    /// Documents by their names, all as of one moment; nothing where there is none.
    async fn document_get(&self, names: &[DocumentName]) -> Result<Vec<Option<Document>>>;

    /// Writes documents together: the function sees them as they stand, and nobody else writes
    /// any of them in between. Afterwards all of it is on disk; after a refusal, or a crash before
    /// the answer, either all of it is or nothing.
    async fn document_commit(&self, commit: Commit) -> Result<Committed>;

    /// A page of documents, sorted by parent and id. A page that is empty is the last one.
    async fn document_list(&self, query: &DocumentQuery) -> Result<DocumentPage>;
}
