//! Exams of documents.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use futures::future::join_all;
use jobmill_model::Fault;

use super::stage::{Must, json};
use crate::{Commit, Committed, Document, DocumentName, DocumentQuery, Store};

/// A document named `parent/collection/id`.
pub(super) fn document_name(text: &str) -> DocumentName {
    let mut pieces = text.rsplitn(3, '/').map(str::to_owned);
    let mut next = || pieces.next().expect("exams use whole names");
    let (id, collection, parent) = (next(), next(), next());
    DocumentName { collection, parent, id }
}

pub(super) fn document(content: &str, at: i64) -> Document {
    Document { content: json(content), created: at, updated: at }
}

/// A commit that sets a document to a content, or removes it.
pub(super) fn put(name: &str, content: Option<&str>, at: i64) -> Commit {
    let after = content.map(|content| document(content, at));
    let rewrite = move |_: &[Option<Document>]| Ok(vec![after.clone()]);
    Commit { names: vec![document_name(name)], rewrite: Arc::new(rewrite) }
}

pub(super) fn all_of(collection: &str, parent: &str, descendants: bool) -> DocumentQuery {
    let (collection, parent) = (collection.to_owned(), parent.to_owned());
    DocumentQuery { collection, parent, descendants, after: None, limit: 1_000, bytes: usize::MAX }
}

async fn ids(store: &dyn Store, query: &DocumentQuery) -> Vec<String> {
    let page = store.document_list(query).await.must();
    page.into_iter().map(|(name, _)| format!("{}:{}", name.parent, name.id)).collect()
}

pub async fn a_document_reads_back_as_it_was_written(store: Arc<dyn Store>) {
    let name = document_name("r/c/x");
    assert_eq!(store.document_get(std::slice::from_ref(&name)).await.must(), [None]);
    let content = "{\"b\":1,\"a\":\"\u{e9}\\u0000\"}";
    assert_eq!(
        store.document_commit(put("r/c/x", Some(content), 7)).await.must(),
        Committed::Done(vec![None])
    );
    let expected = document(content, 7);
    let names = [document_name("r/c/y"), name];
    assert_eq!(store.document_get(&names).await.must(), [None, Some(expected.clone())]);
    let answer = store.document_commit(put("r/c/x", None, 8)).await.must();
    assert_eq!(answer, Committed::Done(vec![Some(expected)]));
    assert_eq!(store.document_get(&names).await.must(), [None, None]);
}

pub async fn a_refused_commit_writes_nothing(store: Arc<dyn Store>) {
    store.document_commit(put("r/c/x", Some("1"), 1)).await.must();
    let rewrite = |present: &[Option<Document>]| match &present[1] {
        None => Err(Fault::last("NOT_FOUND", "find it")),
        Some(_) => Ok(vec![None, None]),
    };
    let commit = |second: &str| Commit {
        names: vec![document_name("r/c/x"), document_name(second)],
        rewrite: Arc::new(rewrite),
    };
    match store.document_commit(commit("r/c/y")).await.must() {
        Committed::Refused(fault) => assert_eq!(fault.code, "NOT_FOUND"),
        done => panic!("{done:?}"),
    }
    assert_eq!(ids(&*store, &all_of("c", "r", false)).await, ["r:x"]);
}

pub async fn commits_of_one_document_follow_each_other(store: Arc<dyn Store>) {
    let count = |present: &[Option<Document>]| {
        let number = present[0].as_ref().and_then(|present| present.content.as_str().parse().ok());
        let number: i64 = number.unwrap_or(0);
        Ok(vec![Some(document(&(number + 1).to_string(), number))])
    };
    let commit = || Commit { names: vec![document_name("r/c/x")], rewrite: Arc::new(count) };
    join_all((0..50).map(|_| store.document_commit(commit()))).await;
    let found = store.document_get(&[document_name("r/c/x")]).await.must();
    assert_eq!(found, [Some(document("50", 49))]);
}

pub async fn documents_are_listed_by_collection(store: Arc<dyn Store>) {
    for name in ["r/c/b", "r/c/a", "r/d/a", "r/c/a/c/z", "r/c/a-b/c/y", "rr/c/a", "q/c/a"] {
        store.document_commit(put(name, Some("1"), 1)).await.must();
    }
    assert_eq!(ids(&*store, &all_of("c", "r", false)).await, ["r:a", "r:b"]);
    let below = ids(&*store, &all_of("c", "r", true)).await;
    assert_eq!(below, ["r:a", "r:b", "r/c/a:z", "r/c/a-b:y"]);
    assert_eq!(ids(&*store, &all_of("c", "r/c/a", true)).await, ["r/c/a:z"]);
    assert!(ids(&*store, &all_of("e", "r", true)).await.is_empty());
}

pub async fn documents_are_listed_in_pages(store: Arc<dyn Store>) {
    for name in ["r/c/a", "r/c/b", "r/c/a/c/z", "r/c/d"] {
        store.document_commit(put(name, Some("123456"), 1)).await.must();
    }
    for (limit, bytes) in [(1, 1_000), (3, 1_000), (9, 12), (9, 1)] {
        let mut query = DocumentQuery { limit, bytes, ..all_of("c", "r", true) };
        let mut found = Vec::new();
        loop {
            let page = store.document_list(&query).await.must();
            let most = if bytes < 1_000 { bytes.div_ceil(6) } else { limit };
            assert!(page.len() <= most, "{page:?}");
            let Some((last, _)) = page.last() else { break };
            query.after = Some((last.parent.clone(), last.id.clone()));
            found.extend(page.into_iter().map(|(name, _)| name.id));
        }
        assert_eq!(found, ["a", "b", "d", "z"]);
    }
}
