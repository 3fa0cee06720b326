//! API keys, in memory.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::key::ApiKey;
use jobmill_model::limits::KEYS;
use jobmill_model::queue::Name;

use super::MemoryStore;
use crate::{KeyPut, Keys, Result};

#[async_trait]
impl Keys for MemoryStore {
    async fn key_put(&self, key: &ApiKey) -> Result<KeyPut> {
        let keys = &mut self.0.lock().api_keys;
        if keys.contains_key(&key.new.name) {
            return Ok(KeyPut::Taken);
        }
        if keys.len() >= KEYS {
            return Ok(KeyPut::Full);
        }
        keys.insert(key.new.name.clone(), key.clone());
        Ok(KeyPut::Done)
    }

    async fn key_list(&self) -> Result<Vec<ApiKey>> {
        Ok(self.0.lock().api_keys.values().cloned().collect())
    }

    async fn key_delete(&self, name: &Name) -> Result<bool> {
        Ok(self.0.lock().api_keys.remove(name).is_some())
    }

    async fn key_touch(&self, uses: &[(Name, Timestamp)]) -> Result<()> {
        let keys = &mut self.0.lock().api_keys;
        for (name, at) in uses {
            if let Some(key) = keys.get_mut(name) {
                key.used_at = key.used_at.max(Some(*at));
            }
        }
        Ok(())
    }
}
