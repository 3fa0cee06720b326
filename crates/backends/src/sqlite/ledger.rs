//! The results of a worker's steps.

use async_trait::async_trait;
use jobmill_model::limits::LEDGER_EFFECTS;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json};
use jobmill_store::{EffectPut, Ledgers, Noted, Result};
use rusqlite::params;

use super::SqliteStore;
use super::query::Query;
use super::reader::prepare;
use super::row::{self, Key};
use super::trouble::Outcome;
use super::txn::Txn;

/// About what a step takes besides its result, for the size of transactions.
const STEP_BYTES: usize = 512;

#[async_trait]
impl Ledgers for SqliteStore {
    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        let bytes = put.value.as_str().len() + STEP_BYTES;
        self.ask(put, note, bytes).await
    }

    async fn effect_get(&self, id: JobId, name: &Name) -> Result<Option<Json>> {
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::EffectGet)?;
            let mut rows = statement.query(params![Key::of(id), name.as_str()])?;
            rows.next()?.map(|row| row::json(row, 0)).transpose()
        })
    }

    async fn effect_list(
        &self,
        id: JobId,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Name, Json)>> {
        let (after, limit) = (after.map_or("", Name::as_str), i64::try_from(limit));
        let limit = limit.unwrap_or(i64::MAX);
        self.readers.read(|connection| {
            let mut statement = prepare(connection, Query::EffectList)?;
            let step = |row: &rusqlite::Row<'_>| Ok((row::name(row, 0)?, row::json(row, 1)?));
            statement.query_map(params![Key::of(id), after, limit], step)?.collect()
        })
    }
}

fn note(tx: &mut Txn<'_>, put: &EffectPut) -> Outcome<Noted> {
    let Some(head) = tx.leased(put.id, put.token)? else { return Ok(Noted::Stale) };
    let step = params![Key::of(put.id), put.name.as_str()];
    if head.effects > 0
        && let Some(known) = tx.first(Query::EffectGet, step, |row| row::json(row, 0))?
    {
        return Ok(Noted::Known(known));
    }
    if head.effects >= LEDGER_EFFECTS {
        return Ok(Noted::Full);
    }
    let values = params![Key::of(put.id), put.name.as_str(), put.value.as_str()];
    tx.execute(Query::EffectInsert, values)?;
    tx.execute(Query::EffectCount, params![Key::of(put.id), row::signed(head.effects + 1)])?;
    Ok(Noted::New)
}
