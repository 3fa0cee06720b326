//! API keys of a flawed store.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::key::ApiKey;
use jobmill_model::queue::Name;

use super::FlawedStore;
use crate::{KeyPut, Keys, Result};

#[async_trait]
impl Keys for FlawedStore {
    async fn key_put(&self, key: &ApiKey) -> Result<KeyPut> {
        self.inner.key_put(key).await
    }

    async fn key_list(&self) -> Result<Vec<ApiKey>> {
        self.inner.key_list().await
    }

    async fn key_delete(&self, name: &Name) -> Result<bool> {
        self.inner.key_delete(name).await
    }

    async fn key_touch(&self, uses: &[(Name, Timestamp)]) -> Result<()> {
        self.inner.key_touch(uses).await
    }
}
