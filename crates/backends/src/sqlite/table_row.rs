//! Rows of tables.

use async_trait::async_trait;
use jobmill_model::Json;
use jobmill_store::{NewRow, Result, RowExtent, RowInsert, Rows, RowsInserted, StoredRow, Swept};
use rusqlite::{Row, params};

use super::SqliteStore;
use super::document::present;
use super::query::Query;
use super::reader::prepare;
use super::row;
use super::trouble::Outcome;
use super::txn::Txn;

/// About what a row takes besides its content.
const ROW_BYTES: usize = 64;

#[async_trait]
impl Rows for SqliteStore {
    async fn row_insert(&self, insert: RowInsert) -> Result<RowsInserted> {
        let size = |row: &NewRow| row.content.as_str().len() + ROW_BYTES;
        let bytes = insert.rows.iter().map(size).sum();
        self.admit(insert, append, bytes).await
    }

    async fn row_list(
        &self,
        set: &str,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::RowList)?;
            let mut rows = statement.query(params![set, row::signed(after), limit])?;
            let (mut page, mut sum) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let content: Json = row::json(row, 1)?;
                sum += content.as_str().len();
                if !page.is_empty() && sum > bytes {
                    break;
                }
                page.push((row::unsigned(row, 0)?, content));
            }
            Ok(page)
        })
    }

    async fn row_extent(&self, set: &str) -> Result<RowExtent> {
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::RowSetGet)?;
            let mut rows = statement.query([set])?;
            rows.next()?.map(extent).transpose().map(Option::unwrap_or_default)
        })
    }

    async fn row_sweep(&self, set: &str, limit: usize) -> Result<Swept> {
        self.ask((set.to_owned(), limit), sweep, limit * ROW_BYTES).await
    }
}

fn extent(row: &Row<'_>) -> rusqlite::Result<RowExtent> {
    Ok(RowExtent { rows: row::unsigned(row, 0)?, bytes: row::unsigned(row, 1)? })
}

fn held(tx: &mut Txn<'_>, set: &str) -> Outcome<RowExtent> {
    Ok(tx.first(Query::RowSetGet, [set], extent)?.unwrap_or_default())
}

fn append(tx: &mut Txn<'_>, insert: &RowInsert) -> Outcome<RowsInserted> {
    let RowInsert { set, guard: (name, created), rows, at } = insert;
    if present(tx, name)?.is_none_or(|document| document.created != *created) {
        return Ok(RowsInserted::Unguarded);
    }
    let before = held(tx, set)?;
    let mut extent = before;
    for NewRow { insert_id, known_since, content } in rows {
        if let Some(id) = insert_id {
            let known = params![set, id, known_since.as_millis()];
            if tx.first(Query::RowKnown, known, |_| Ok(()))?.is_some() {
                continue;
            }
        }
        extent.rows += 1;
        extent.bytes += content.as_str().len() as u64;
        let number = row::signed(extent.rows);
        let row = params![set, number, content.as_str(), insert_id, at.as_millis()];
        tx.execute(Query::RowInsert, row)?;
    }
    if extent != before {
        keep(tx, set, extent)?;
    }
    Ok(RowsInserted::Done(extent.rows - before.rows))
}

fn keep(tx: &mut Txn<'_>, set: &str, extent: RowExtent) -> Outcome<()> {
    let row = params![set, row::signed(extent.rows), row::signed(extent.bytes)];
    tx.execute(Query::RowSetPut, row)?;
    Ok(())
}

fn sweep(tx: &mut Txn<'_>, (set, limit): &(String, usize)) -> Outcome<Swept> {
    let before = held(tx, set)?;
    let left = before.rows.saturating_sub(*limit as u64);
    let last = params![set, row::signed(left)];
    let swept = tx.all(Query::RowSweep, last, |row| row::unsigned(row, 0))?;
    match left {
        0 => drop(tx.execute(Query::RowSetDelete, [set])?),
        left => {
            let bytes = before.bytes.saturating_sub(swept.iter().sum());
            keep(tx, set, RowExtent { rows: left, bytes })?;
        }
    }
    Ok(Swept { rows: swept.len(), more: left > 0 })
}
