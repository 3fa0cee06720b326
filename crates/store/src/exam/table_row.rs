//! Exams of rows of tables.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use super::document::{document_name, put};
use super::stage::{Must, at, json};
use crate::{NewRow, RowExtent, RowInsert, RowsInserted, Store, StoredRow};

/// A table's document and rows for it: each its sender's id and its content.
pub(super) fn insert(set: &str, secs: i64, rows: &[(Option<&str>, &str)]) -> RowInsert {
    let row = |(id, content): &(Option<&str>, &str)| NewRow {
        insert_id: id.map(str::to_owned),
        known_since: at(secs - 60),
        content: json(content),
    };
    RowInsert {
        set: set.to_owned(),
        guard: (document_name("r/tables/t"), 1),
        rows: rows.iter().map(row).collect(),
        at: at(secs),
    }
}

async fn guarded(store: &dyn Store) {
    store.document_commit(put("r/tables/t", Some("{}"), 1)).await.must();
}

async fn contents(store: &dyn Store, set: &str) -> Vec<(u64, String)> {
    let rows = store.row_list(set, 0, 1_000, usize::MAX).await.must();
    rows.into_iter().map(|(number, content)| (number, content.to_string())).collect()
}

fn numbered(texts: &[&str]) -> Vec<(u64, String)> {
    (1..).zip(texts.iter().map(|text| (*text).to_owned())).collect()
}

pub async fn rows_are_numbered_in_order(store: Arc<dyn Store>) {
    guarded(&*store).await;
    let first = insert("s", 0, &[(None, "[1]"), (None, "[2]")]);
    assert_eq!(store.row_insert(first).await.must(), RowsInserted::Done(2));
    store.row_insert(insert("t", 0, &[(None, "[9]")])).await.must();
    store.row_insert(insert("s", 0, &[(None, "[3]")])).await.must();
    assert_eq!(contents(&*store, "s").await, numbered(&["[1]", "[2]", "[3]"]));
    assert_eq!(contents(&*store, "t").await, numbered(&["[9]"]));
    assert!(contents(&*store, "u").await.is_empty());
    assert_eq!(store.row_extent("s").await.must(), RowExtent { rows: 3, bytes: 9 });
    assert_eq!(store.row_extent("u").await.must(), RowExtent::default());
}

pub async fn rows_are_read_in_pages(store: Arc<dyn Store>) {
    guarded(&*store).await;
    let texts = ["[1]", "[2]", "[3]", "[4]"];
    store.row_insert(insert("s", 0, &texts.map(|text| (None, text)))).await.must();
    let numbers = |page: Vec<StoredRow>| page.iter().map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(numbers(store.row_list("s", 1, 2, 1_000).await.must()), [2, 3]);
    assert_eq!(numbers(store.row_list("s", 0, 9, 7).await.must()), [1, 2]);
    assert_eq!(numbers(store.row_list("s", 3, 9, 0).await.must()), [4]);
    assert!(store.row_list("s", 4, 9, 9).await.must().is_empty());
}

pub async fn a_row_with_a_known_id_is_passed_over(store: Arc<dyn Store>) {
    guarded(&*store).await;
    let rows = [(Some("a"), "[1]"), (Some("a"), "[2]"), (Some("b"), "[3]"), (None, "[4]")];
    assert_eq!(store.row_insert(insert("s", 0, &rows)).await.must(), RowsInserted::Done(3));
    assert_eq!(store.row_insert(insert("s", 50, &rows)).await.must(), RowsInserted::Done(1));
    store.row_insert(insert("t", 50, &rows[..1])).await.must();
    assert_eq!(contents(&*store, "t").await, numbered(&["[1]"]));
    // A minute later the id may be used again.
    assert_eq!(store.row_insert(insert("s", 61, &rows[..1])).await.must(), RowsInserted::Done(1));
    let expected = numbered(&["[1]", "[3]", "[4]", "[4]", "[1]"]);
    assert_eq!(contents(&*store, "s").await, expected);
}

pub async fn rows_go_only_to_a_table_that_is_there(store: Arc<dyn Store>) {
    let rows = insert("s", 0, &[(None, "[1]")]);
    assert_eq!(store.row_insert(rows.clone()).await.must(), RowsInserted::Unguarded);
    store.document_commit(put("r/tables/t", Some("{}"), 2)).await.must();
    assert_eq!(store.row_insert(rows.clone()).await.must(), RowsInserted::Unguarded);
    store.document_commit(put("r/tables/t", Some("{}"), 1)).await.must();
    assert_eq!(store.row_insert(rows).await.must(), RowsInserted::Done(1));
}

pub async fn the_rows_of_a_set_are_swept_in_steps(store: Arc<dyn Store>) {
    guarded(&*store).await;
    let texts = ["[1]", "[2]", "[3]"];
    store.row_insert(insert("s", 0, &texts.map(|text| (Some(text), text)))).await.must();
    store.row_insert(insert("t", 0, &[(None, "[9]")])).await.must();
    let swept = store.row_sweep("s", 2).await.must();
    assert_eq!((swept.rows, swept.more), (2, true));
    assert_eq!(contents(&*store, "s").await, numbered(&["[1]"]));
    assert_eq!(store.row_extent("s").await.must(), RowExtent { rows: 1, bytes: 3 });
    let swept = store.row_sweep("s", 2).await.must();
    assert_eq!((swept.rows, swept.more), (1, false));
    let swept = store.row_sweep("s", 2).await.must();
    assert_eq!((swept.rows, swept.more), (0, false));
    // What is swept is not known any more, and numbers begin anew.
    store.row_insert(insert("s", 0, &[(Some("[1]"), "[5]")])).await.must();
    assert_eq!(contents(&*store, "s").await, numbered(&["[5]"]));
    assert_eq!(contents(&*store, "t").await, numbered(&["[9]"]));
}
