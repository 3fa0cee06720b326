//! Definitions and their revisions, in memory.

use std::ops::Bound;

use async_trait::async_trait;
use jobmill_model::definition::Definition;
use jobmill_model::limits::PAGE_BYTES;
use jobmill_model::queue::Name;

use super::MemoryStore;
use crate::{DefinitionPage, DefinitionPut, Definitions, Deployed, PutMode, Result};

#[async_trait]
impl Definitions for MemoryStore {
    async fn definition_put(&self, put: DefinitionPut) -> Result<Deployed> {
        let mut data = self.0.lock();
        let DefinitionPut { name, place, change, mode, suffix, now } = &put;
        let present = data.definitions.get(name).and_then(|revisions| revisions.last());
        let next = match (present, mode) {
            (Some(_), PutMode::Create) => return Ok(Deployed::Exists),
            (None, PutMode::Update) => return Ok(Deployed::Unknown),
            (Some(present), _) => present.changed(change, suffix, *now),
            (None, _) => Definition::first(name, place, change, suffix, *now),
        };
        let revisions = data.definitions.entry(name.clone()).or_default();
        revisions.retain(|revision| revision.number != next.number);
        revisions.push(next.clone());
        Ok(Deployed::Done(Box::new(next)))
    }

    async fn definition_get(
        &self,
        name: &Name,
        revision: Option<&str>,
    ) -> Result<Option<Definition>> {
        let data = self.0.lock();
        let Some(revisions) = data.definitions.get(name) else { return Ok(None) };
        Ok(match revision {
            None => revisions.last().cloned(),
            Some(id) => revisions.iter().find(|revision| revision.revision == id).cloned(),
        })
    }

    async fn definition_list(&self, after: Option<&Name>, limit: usize) -> Result<DefinitionPage> {
        let data = self.0.lock();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = data.definitions.range((from, Bound::Unbounded));
        let mut rows = rows.by_ref().filter_map(|(_, revisions)| revisions.last());
        let mut page = DefinitionPage::default();
        let mut bytes = 0;
        while page.definitions.len() < limit && bytes < PAGE_BYTES {
            let Some(definition) = rows.next() else { break };
            bytes += definition.content.source.len();
            page.definitions.push(definition.clone());
        }
        page.next = rows.next().and(page.definitions.last()).map(|last| last.name.clone());
        Ok(page)
    }

    async fn definition_delete(&self, name: &Name) -> Result<bool> {
        Ok(self.0.lock().definitions.remove(name).is_some())
    }

    async fn revision_list(
        &self,
        name: &Name,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Definition>> {
        let data = self.0.lock();
        let revisions = data.definitions.get(name).into_iter().flatten().rev();
        let older = revisions.filter(|revision| before.is_none_or(|most| revision.number < most));
        Ok(older.take(limit).cloned().collect())
    }
}
