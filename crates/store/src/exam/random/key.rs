//! Operations on API keys, and their answers.

use jobmill_model::Timestamp;
use jobmill_model::key::{ApiKey, Roles};
use jobmill_model::queue::Name;

use super::super::key::key;
use super::super::stage::{Must, name};
use super::world::World;
use crate::{KeyPut, Store};

const KEYS: [&str; 4] = ["ci", "ops", "night", "café"];

#[derive(Debug, Clone)]
pub(super) enum KeyOp {
    Put(ApiKey),
    Delete(Name),
    Touch(Vec<(Name, Timestamp)>),
    List,
}

#[derive(Debug, PartialEq)]
pub(super) enum KeyAnswer {
    Put(KeyPut),
    Deleted(bool),
    Touched,
    Listed(Vec<ApiKey>),
}

impl KeyOp {
    pub(super) fn verb(&self) -> &'static str {
        match self {
            Self::Put(_) => "key_put",
            Self::Delete(_) => "key_delete",
            Self::Touch(_) => "key_touch",
            Self::List => "key_list",
        }
    }

    pub(super) async fn apply(&self, store: &dyn Store) -> KeyAnswer {
        match self {
            Self::Put(key) => KeyAnswer::Put(store.key_put(key).await.must()),
            Self::Delete(name) => KeyAnswer::Deleted(store.key_delete(name).await.must()),
            Self::Touch(uses) => {
                store.key_touch(uses).await.must();
                KeyAnswer::Touched
            }
            Self::List => KeyAnswer::Listed(store.key_list().await.must()),
        }
    }
}

impl KeyAnswer {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Put(KeyPut::Done) => "done",
            Self::Put(KeyPut::Taken) => "taken",
            Self::Put(KeyPut::Full) => "full",
            Self::Deleted(true) => "held",
            Self::Deleted(false) => "stale",
            Self::Listed(keys) if keys.is_empty() => "none",
            Self::Touched | Self::Listed(_) => "some",
        }
    }
}

/// Every verb with the answers that a run of some length meets.
pub(super) const WANTED: &[(&str, &[&str])] = &[
    ("key_put", &["done", "taken"]),
    ("key_delete", &["held", "stale"]),
    ("key_touch", &["some"]),
    ("key_list", &["some"]),
];

impl World {
    pub(super) fn key_op(&mut self) -> KeyOp {
        let text = *self.chance.pick(&KEYS).expect("there are names");
        match self.chance.below(8) {
            0..3 => KeyOp::Put(self.key(text)),
            3 => KeyOp::Delete(name(text)),
            4..6 => KeyOp::Touch(vec![(name(text), self.now()), (name("gone"), self.now())]),
            _ => KeyOp::List,
        }
    }

    fn key(&mut self, text: &str) -> ApiKey {
        let mut key = key(text);
        key.new.roles = Roles::from_bits(1 + self.chance.below(15) as u8);
        key.new.rate_per_minute = self.chance.percent(50).then(|| self.chance.below(99) as u32);
        key.new.expires_at = self.chance.percent(50).then(|| self.now());
        key
    }
}
