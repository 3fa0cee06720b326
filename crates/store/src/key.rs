//! API keys, as hashes.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::key::ApiKey;
use jobmill_model::queue::Name;

use crate::Result;

/// What became of a new key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPut {
    /// It is stored.
    Done,
    /// There is one of its name.
    Taken,
    /// There are [`KEYS`](jobmill_model::limits::KEYS) of them.
    Full,
}

/// The verbs of the key.
#[async_trait]
pub trait Keys: Send + Sync {
    /// Stores a key, if its name is free and there is room.
    async fn key_put(&self, key: &ApiKey) -> Result<KeyPut>;

    /// Every key, by name.
    async fn key_list(&self) -> Result<Vec<ApiKey>>;

    /// Removes a key; answers whether it was there. What it has submitted stays.
    async fn key_delete(&self, name: &Name) -> Result<bool>;

    /// Takes note of when keys were used last. One that is gone, or was used later, stays so.
    async fn key_touch(&self, uses: &[(Name, Timestamp)]) -> Result<()>;
}
