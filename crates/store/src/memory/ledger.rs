//! The results of steps, in memory.

use std::ops::Bound;

use async_trait::async_trait;
use jobmill_model::limits::LEDGER_EFFECTS;
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Json};

use super::MemoryStore;
use crate::{EffectPut, Ledgers, Noted, Result};

#[async_trait]
impl Ledgers for MemoryStore {
    async fn effect_put(&self, put: EffectPut) -> Result<Noted> {
        let mut data = self.0.lock();
        let Some(row) = data.leased(put.id, put.token) else { return Ok(Noted::Stale) };
        if let Some(known) = row.ledger.get(&put.name) {
            return Ok(Noted::Known(known.clone()));
        }
        if row.ledger.len() as u64 >= LEDGER_EFFECTS {
            return Ok(Noted::Full);
        }
        row.ledger.insert(put.name, put.value);
        Ok(Noted::New)
    }

    async fn effect_get(&self, id: JobId, name: &Name) -> Result<Option<Json>> {
        let data = self.0.lock();
        Ok(data.rows.get(&id).and_then(|row| row.ledger.get(name).cloned()))
    }

    async fn effect_list(
        &self,
        id: JobId,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Name, Json)>> {
        let data = self.0.lock();
        let Some(row) = data.rows.get(&id) else { return Ok(Vec::new()) };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let steps = row.ledger.range((from, Bound::Unbounded)).take(limit);
        Ok(steps.map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}
