//! The committed outcomes of a machine.

use async_trait::async_trait;
use jobmill_model::JobId;
use jobmill_model::machine::{EffectNumber, Entry, Outcome as Answer};
use jobmill_store::{Append, Appended, Deleted, Journals, Result};
use rusqlite::{Row, params};

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};
use super::trouble::Outcome;
use super::txn::Txn;

/// About what an entry takes besides its outcome, for the size of transactions.
const ENTRY_BYTES: usize = 256;

#[async_trait]
impl Journals for SqliteStore {
    async fn job_journal(&self, append: Append) -> Result<Appended> {
        let outcomes = append.entries.iter().map(|entry| match &entry.outcome {
            Answer::Done(value) | Answer::Signal(value) => value.size_bytes(),
            _ => 0,
        });
        let bytes = outcomes.map(|bytes| bytes + ENTRY_BYTES).sum();
        self.ask(append, journal, bytes).await
    }

    async fn journal_read(&self, id: JobId, from: u64, limit: usize) -> Result<Vec<Entry>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::JournalRead)?;
            statement.query_map(params![Key::of(id), row::signed(from), limit], entry)?.collect()
        })
    }

    async fn journal_delete(&self, id: JobId) -> Result<Deleted> {
        self.ask(id, |tx, id| delete(tx, *id), ENTRY_BYTES).await
    }
}

fn journal(tx: &mut Txn<'_>, append: &Append) -> Outcome<Appended> {
    let Append { id, token, entries, consumed } = append;
    let Some(head) = tx.leased(*id, *token)? else { return Ok(Appended::Stale) };
    if entries.first().is_some_and(|entry| entry.seq != head.journal_len) {
        return Ok(Appended::Gap(head.journal_len));
    }
    let key = Key::of(*id);
    for entry in entries {
        tx.execute(
            Query::JournalInsert,
            params![
                key,
                row::signed(entry.seq),
                row::signed(entry.number.0),
                entry.fingerprint.cast_signed(),
                entry.outcome.to_json().as_str(),
                entry.at.as_millis(),
            ],
        )?;
    }
    if !entries.is_empty() {
        let len = row::signed(head.journal_len + entries.len() as u64);
        tx.execute(Query::JournalExtend, params![key, len])?;
    }
    for number in consumed {
        tx.execute(Query::SignalConsume, params![key, row::signed(*number)])?;
    }
    Ok(Appended::Done)
}

fn delete(tx: &mut Txn<'_>, id: JobId) -> Outcome<Deleted> {
    let Some(mut head) = tx.head(id)? else { return Ok(Deleted::Unknown) };
    if !head.state.is_final() {
        return Ok(Deleted::Refused(head.state));
    }
    tx.drop_journal(&mut head)?;
    Ok(Deleted::Done)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        seq: row::unsigned(row, 0)?,
        number: EffectNumber(row::unsigned(row, 1)?),
        fingerprint: row.get::<_, i64>(2)?.cast_unsigned(),
        outcome: Answer::from_json(&row::json(row, 3)?)
            .map_err(|error| row::text_error(3, error))?,
        at: row::time(row, 4)?,
    })
}
