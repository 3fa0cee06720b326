//! Exams of the API key.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::Fingerprint;
use jobmill_model::key::{ApiKey, NewKey, Role, Roles};
use jobmill_model::limits::KEYS;

use super::stage::{Must, Stage, at, name};
use crate::{KeyPut, Store};

/// A key for reading.
pub(super) fn key(text: &str) -> ApiKey {
    let new = NewKey {
        name: name(text),
        roles: Roles::of([Role::Read]),
        rate_per_minute: None,
        expires_at: None,
    };
    let hash = Fingerprint::of(text.as_bytes());
    ApiKey { new, hash, created_at: at(0), used_at: None }
}

pub async fn a_stored_key_reads_back_whole(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut full = key("full");
    full.new.roles = Roles::of([Role::Submit, Role::Work]);
    full.new.rate_per_minute = Some(7);
    full.new.expires_at = Some(at(60));
    full.used_at = Some(at(9));
    for key in [&full, &key("b"), &key("c")] {
        assert_eq!(stage.key_put(key).await.must(), KeyPut::Done);
    }
    assert_eq!(stage.key_list().await.must(), [key("b"), key("c"), full]);
}

pub async fn a_name_is_taken_once(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(stage.key_put(&key("a")).await.must(), KeyPut::Done);
    let mut other = key("a");
    other.new.roles = Roles::ADMIN;
    assert_eq!(stage.key_put(&other).await.must(), KeyPut::Taken);
    assert_eq!(stage.key_list().await.must(), [key("a")]);
    assert!(stage.key_delete(&name("a")).await.must());
    assert!(!stage.key_delete(&name("a")).await.must());
    assert_eq!(stage.key_put(&other).await.must(), KeyPut::Done, "the name is free again");
}

pub async fn there_are_no_more_keys_than_may_be(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for number in 0..KEYS {
        assert_eq!(stage.key_put(&key(&format!("k{number}"))).await.must(), KeyPut::Done);
    }
    assert_eq!(stage.key_put(&key("more")).await.must(), KeyPut::Full);
    assert_eq!(stage.key_put(&key("k0")).await.must(), KeyPut::Taken);
}

pub async fn the_last_use_of_a_key_never_goes_back(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.key_put(&key("a")).await.must();
    let used = async || stage.key_list().await.must()[0].used_at;
    for (secs, want) in [(5, 5), (3, 5), (8, 8)] {
        stage.key_touch(&[(name("gone"), at(9)), (name("a"), at(secs))]).await.must();
        assert_eq!(used().await, Some(at(want)));
    }
    stage.key_touch(&[]).await.must();
}
