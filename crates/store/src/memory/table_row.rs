//! Rows of tables, in memory.

use async_trait::async_trait;
use jobmill_model::{Json, Timestamp};

use super::MemoryStore;
use crate::{Result, RowExtent, RowInsert, Rows, RowsInserted, StoredRow, Swept};

/// A row with its sender's id and when it came.
#[derive(Debug)]
pub(super) struct Kept {
    content: Json,
    insert_id: Option<String>,
    at: Timestamp,
}

#[async_trait]
impl Rows for MemoryStore {
    async fn row_insert(&self, insert: RowInsert) -> Result<RowsInserted> {
        let mut data = self.0.lock();
        let (name, created) = &insert.guard;
        if data.documents.get(name).is_none_or(|document| document.created != *created) {
            return Ok(RowsInserted::Unguarded);
        }
        let mut inserted = 0;
        for row in insert.rows {
            let set = data.rows_of.entry(insert.set.clone()).or_default();
            let known = |kept: &Kept| {
                row.insert_id.is_some()
                    && kept.insert_id == row.insert_id
                    && kept.at >= row.known_since
            };
            if !set.iter().any(known) {
                set.push(Kept { content: row.content, insert_id: row.insert_id, at: insert.at });
                inserted += 1;
            }
        }
        Ok(RowsInserted::Done(inserted))
    }

    async fn row_list(
        &self,
        set: &str,
        after: u64,
        limit: usize,
        bytes: usize,
    ) -> Result<Vec<StoredRow>> {
        let data = self.0.lock();
        let rows = data.rows_of.get(set).map_or(&[][..], Vec::as_slice);
        let numbered = (1..).zip(rows).filter(|(number, _)| *number > after).take(limit);
        let mut sum = 0;
        let page = numbered.take_while(|(_, row)| {
            let fits = sum == 0 || sum + row.content.as_str().len() <= bytes;
            sum += row.content.as_str().len();
            fits
        });
        Ok(page.map(|(number, row)| (number, row.content.clone())).collect())
    }

    async fn row_extent(&self, set: &str) -> Result<RowExtent> {
        let data = self.0.lock();
        let rows = data.rows_of.get(set).map_or(&[][..], Vec::as_slice);
        let bytes = rows.iter().map(|row| row.content.as_str().len() as u64).sum();
        Ok(RowExtent { rows: rows.len() as u64, bytes })
    }

    async fn row_sweep(&self, set: &str, limit: usize) -> Result<Swept> {
        let mut data = self.0.lock();
        let Some(rows) = data.rows_of.get_mut(set) else { return Ok(Swept::default()) };
        let left = rows.len().saturating_sub(limit);
        let swept = rows.drain(left..).count();
        if left == 0 {
            data.rows_of.remove(set);
        }
        Ok(Swept { rows: swept, more: left > 0 })
    }
}
