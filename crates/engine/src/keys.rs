//! API keys: made, known again by their hash, counted, revoked.
//!
//! The keys of the store are held in memory too, since every request asks for one. A change goes
//! to the store first and counts here from then on, so a revoked key opens nothing any more.

use std::collections::HashMap;
use std::sync::Arc;

use jobmill_model::job::Fingerprint;
use jobmill_model::key::{ApiKey, Bucket, NewKey, Roles, secret};
use jobmill_model::queue::Name;
use jobmill_model::{Span, Timestamp};
use jobmill_store::{KeyPut, Store, StoreError};
use parking_lot::Mutex;

use crate::chance::Chance;
use crate::engine::Engine;
use crate::unhurried::Unhurried;

/// The keys of a store.
pub struct Keys {
    store: Arc<dyn Store>,
    /// By the hash of their secrets: whoever can guess a hash from how long a look takes is as
    /// far from its secret as before.
    ring: Mutex<HashMap<[u8; 32], Held>>,
    /// Held over a change of the store and of the ring, so that they follow in one order.
    changing: tokio::sync::Mutex<()>,
}

/// A key in memory.
struct Held {
    key: ApiKey,
    bucket: Bucket,
    /// Whether the store does not know yet when it was used last.
    used: bool,
}

/// Whether a secret opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is that of a key with these roles.
    Known(Name, Roles),
    /// It is that of no key.
    Unknown,
    /// Its key was good until this instant.
    Expired(Timestamp),
    /// Its key may not ask again before so long.
    Limited(Span),
}

/// Why a key was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is one of its name.
    #[error("a key of this name is there already; revoke it first, or take another name")]
    Taken,
    /// There are too many.
    #[error(
        "there are {} keys already, as many as there may be; revoke one",
        jobmill_model::limits::KEYS
    )]
    Full,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Keys {
    /// The keys of a store.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn load(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let keys = store.key_list().await?;
        let ring = Mutex::new(keys.into_iter().map(|key| (key.hash.0, Held::from(key))).collect());
        Ok(Self { store, ring, changing: tokio::sync::Mutex::default() })
    }

    /// Makes a key; answers it with its secret, which nobody will see again.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn create(
        &self,
        new: NewKey,
        now: Timestamp,
        chance: &dyn Chance,
    ) -> Result<(ApiKey, String), KeyError> {
        let mut random = [0; 32];
        chance.fill(&mut random);
        let secret = secret(random);
        let hash = Fingerprint::of(secret.as_bytes());
        let key = ApiKey { new, hash, created_at: now, used_at: None };
        let _turn = self.changing.lock().await;
        match self.store.key_put(&key).await? {
            KeyPut::Taken => Err(KeyError::Taken),
            KeyPut::Full => Err(KeyError::Full),
            KeyPut::Done => {
                self.ring.lock().insert(hash.0, Held::from(key.clone()));
                Ok((key, secret))
            }
        }
    }

    /// Every key, by name.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        let mut keys = self.store.key_list().await?;
        let ring = self.ring.lock();
        for key in &mut keys {
            let held = ring.get(&key.hash.0);
            key.used_at = key.used_at.max(held.and_then(|held| held.key.used_at));
        }
        Ok(keys)
    }

    /// Revokes a key; answers whether it was there.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn revoke(&self, name: &Name) -> Result<bool, StoreError> {
        let _turn = self.changing.lock().await;
        let was_there = self.store.key_delete(name).await?;
        self.ring.lock().retain(|_, held| held.key.new.name != *name);
        Ok(was_there)
    }

    /// Lets a secret in, or says why not; counts the request.
    pub fn admit(&self, secret: &[u8], now: Timestamp) -> Admission {
        let hash = Fingerprint::of(secret);
        let mut ring = self.ring.lock();
        let Some(held) = ring.get_mut(&hash.0) else { return Admission::Unknown };
        let new = &held.key.new;
        match new.expires_at {
            Some(end) if !held.key.is_good(now) => return Admission::Expired(end),
            _ => {}
        }
        if let Some(rate) = new.rate_per_minute
            && let Err(wait) = held.bucket.take(rate, now)
        {
            return Admission::Limited(wait);
        }
        held.key.used_at = Some(now);
        held.used = true;
        Admission::Known(new.name.clone(), new.roles)
    }

    /// Tells the store when keys were used last.
    ///
    /// # Errors
    /// A store that cannot be written; the next time tells it again.
    pub async fn note_uses(&self) -> Result<(), StoreError> {
        let used = |held: &Held| Some((held.key.new.name.clone(), held.key.used_at?));
        let uses: Vec<_> =
            self.ring.lock().values().filter(|held| held.used).filter_map(used).collect();
        if uses.is_empty() {
            return Ok(());
        }
        self.store.key_touch(&uses).await?;
        for held in self.ring.lock().values_mut() {
            let told = uses
                .iter()
                .any(|(name, at)| *name == held.key.new.name && Some(*at) == held.key.used_at);
            held.used &= !told;
        }
        Ok(())
    }
}

impl From<ApiKey> for Held {
    fn from(key: ApiKey) -> Self {
        let bucket = Bucket::full(key.new.rate_per_minute.unwrap_or(0), key.created_at);
        Self { key, bucket, used: false }
    }
}

impl Engine {
    /// The API keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    /// Makes a key; answers it with its secret, which nobody will see again.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub async fn key_create(&self, new: NewKey) -> Result<(ApiKey, String), KeyError> {
        let shared = self.shared.clone();
        let work =
            async move { shared.keys.create(new, shared.clock.now(), &*shared.chance).await };
        Unhurried::new(work).await
    }

    /// Revokes a key; answers whether it was there.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn key_revoke(&self, name: &Name) -> Result<bool, StoreError> {
        let (shared, name) = (self.shared.clone(), name.clone());
        Unhurried::new(async move { shared.keys.revoke(&name).await }).await
    }
}
