//! Operations on documents and rows of tables, and their answers.

use std::sync::Arc;

use jobmill_model::{Fault, Json};

use super::super::stage::Must;
use crate::{
    After, Commit, Committed, Document, DocumentName, DocumentPage, DocumentQuery, Rewrite,
    RowExtent, RowInsert, RowsInserted, Store, StoredRow,
};

#[derive(Debug, Clone)]
pub(super) enum DocumentOp {
    Get(Vec<DocumentName>),
    Commit(Vec<DocumentName>, Shift),
    List(DocumentQuery),
    InsertRows(RowInsert),
    ListRows(String, u64, usize),
    RowExtent(String),
    SweepRows(String, usize),
}

#[derive(Debug, PartialEq)]
pub(super) enum DocumentAnswer {
    Got(Vec<Option<Document>>),
    Committed(Committed),
    Listed(DocumentPage),
    Inserted(RowsInserted),
    Rows(Vec<StoredRow>),
    Extent(RowExtent),
    RowsSwept(usize, bool),
}

/// A change of documents that depends on what they hold.
#[derive(Debug, Clone)]
pub(super) struct Shift {
    /// Removes every second one.
    pub(super) removes: bool,
    /// Refuses if none of them is there.
    pub(super) needs_one: bool,
    pub(super) at: i64,
}

impl Rewrite for Shift {
    fn rewrite(&self, present: &[Option<Document>]) -> Result<After, Fault> {
        if self.needs_one && present.iter().all(Option::is_none) {
            return Err(Fault::last("FAILED_PRECONDITION", "find a document"));
        }
        let after = |(place, document): (usize, &Option<Document>)| {
            let old = document.as_ref().map_or("", |document| document.content.as_str());
            let kept: String = old.chars().filter(char::is_ascii_digit).take(20).collect();
            let content = Json::trusted(format!("\"{kept}{place}\""));
            let written = Document { content, created: 0, updated: self.at };
            (!self.removes || place % 2 == 1).then_some(written)
        };
        Ok(present.iter().enumerate().map(after).collect())
    }
}

impl DocumentOp {
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Get(_) => "document_get",
            Self::Commit(..) => "document_commit",
            Self::List(_) => "document_list",
            Self::InsertRows(_) => "row_insert",
            Self::ListRows(..) => "row_list",
            Self::RowExtent(_) => "row_extent",
            Self::SweepRows(..) => "row_sweep",
        }
    }

    pub(super) async fn apply(&self, store: &dyn Store) -> DocumentAnswer {
        match self {
            Self::Get(names) => DocumentAnswer::Got(store.document_get(names).await.must()),
            Self::Commit(names, shift) => {
                let (names, rewrite) = (names.clone(), Arc::new(shift.clone()));
                let commit = Commit { names, rewrite };
                DocumentAnswer::Committed(store.document_commit(commit).await.must())
            }
            Self::List(query) => DocumentAnswer::Listed(list(store, query.clone()).await),
            Self::InsertRows(insert) => {
                DocumentAnswer::Inserted(store.row_insert(insert.clone()).await.must())
            }
            Self::ListRows(set, after, limit) => {
                let rows = store.row_list(set, *after, *limit, usize::MAX).await;
                DocumentAnswer::Rows(rows.must())
            }
            Self::RowExtent(set) => DocumentAnswer::Extent(store.row_extent(set).await.must()),
            Self::SweepRows(set, limit) => {
                let swept = store.row_sweep(set, *limit).await.must();
                DocumentAnswer::RowsSwept(swept.rows, swept.more)
            }
        }
    }
}

/// The documents of all pages.
async fn list(store: &dyn Store, mut query: DocumentQuery) -> DocumentPage {
    let mut documents = Vec::new();
    loop {
        let page = store.document_list(&query).await.must();
        let Some((last, _)) = page.last() else { return documents };
        query.after = Some((last.parent.clone(), last.id.clone()));
        documents.extend(page);
    }
}

impl DocumentAnswer {
    pub(super) fn words(&self) -> Vec<&'static str> {
        let some = |found: bool| if found { "some" } else { "none" };
        match self {
            Self::Got(found) => found.iter().map(|document| some(document.is_some())).collect(),
            Self::Committed(Committed::Done(_)) => vec!["done"],
            Self::Committed(Committed::Refused(_)) => vec!["refused"],
            Self::Listed(page) => vec![some(!page.is_empty())],
            Self::Inserted(RowsInserted::Done(_)) => vec!["done"],
            Self::Inserted(RowsInserted::Unguarded) => vec!["refused"],
            Self::Rows(rows) => vec![some(!rows.is_empty())],
            Self::Extent(extent) => vec![some(extent.rows > 0)],
            Self::RowsSwept(rows, _) => vec![some(*rows > 0)],
        }
    }
}

/// Every verb with the answers that a run of some length meets.
pub(super) const WANTED: &[(&str, &[&str])] = &[
    ("document_get", &["some", "none"]),
    ("document_commit", &["done", "refused"]),
    ("document_list", &["some", "none"]),
    ("row_insert", &["done", "refused"]),
    ("row_list", &["some", "none"]),
    ("row_extent", &["some"]),
    ("row_sweep", &["some"]),
];
