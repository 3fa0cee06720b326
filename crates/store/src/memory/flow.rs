//! Declared flows, in memory.

use async_trait::async_trait;
use jobmill_model::Declaration;
use jobmill_model::limits::DECLARED_FLOWS;
use jobmill_model::queue::Name;

use super::MemoryStore;
use crate::{Declared, Flows, Result};

#[async_trait]
impl Flows for MemoryStore {
    async fn flow_put(&self, declaration: Declaration) -> Result<Declared> {
        let mut data = self.0.lock();
        let declared = match data.flows.get(&declaration.name) {
            Some(known) if *known == declaration => Declared::Same,
            Some(_) => Declared::Changed,
            None if data.flows.len() >= DECLARED_FLOWS => return Ok(Declared::Full),
            None => Declared::New,
        };
        data.flows.insert(declaration.name.clone(), declaration);
        Ok(declared)
    }

    async fn flow_list(&self) -> Result<Vec<Declaration>> {
        Ok(self.0.lock().flows.values().cloned().collect())
    }

    async fn flow_delete(&self, name: &Name) -> Result<bool> {
        Ok(self.0.lock().flows.remove(name).is_some())
    }
}
