//! What the engine promises of API keys.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use jobmill_engine::chance::SystemChance;
use jobmill_engine::{Admission, KeyError, Keys};
use jobmill_model::key::{NewKey, Role, Roles};
use jobmill_model::queue::Name;
use jobmill_model::{Span, Timestamp};
use jobmill_store::memory::MemoryStore;

fn new(name: &str) -> NewKey {
    let roles = Roles::of([Role::Submit]);
    NewKey { name: Name::new(name).unwrap(), roles, rate_per_minute: None, expires_at: None }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + secs * 1_000)
}

async fn keys(store: &Arc<MemoryStore>) -> Keys {
    Keys::load(store.clone()).await.unwrap()
}

#[tokio::test]
async fn a_key_is_known_by_its_secret_until_it_is_revoked_and_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let first = keys(&store).await;
    let (key, secret) = first.create(new("ci"), at(0), &SystemChance).await.unwrap();
    let known = Admission::Known(key.new.name.clone(), key.new.roles);
    assert_eq!(first.create(new("ci"), at(0), &SystemChance).await, Err(KeyError::Taken));
    assert_eq!(first.admit(secret.as_bytes(), at(1)), known);
    let other = format!("{}0", &secret[..secret.len() - 1]);
    if other != secret {
        assert_eq!(first.admit(other.as_bytes(), at(1)), Admission::Unknown);
    }
    assert_eq!(first.admit(b"", at(1)), Admission::Unknown);
    let next = keys(&store).await;
    assert_eq!(next.admit(secret.as_bytes(), at(2)), known);
    assert!(next.revoke(&key.new.name).await.unwrap());
    assert_eq!(next.admit(secret.as_bytes(), at(3)), Admission::Unknown);
    assert!(!next.revoke(&key.new.name).await.unwrap());
    assert_eq!(keys(&store).await.admit(secret.as_bytes(), at(4)), Admission::Unknown);
}

#[tokio::test]
async fn a_key_ends_at_its_time_and_asks_no_more_often_than_it_may() {
    let keys = keys(&Arc::new(MemoryStore::new())).await;
    let limited = NewKey { rate_per_minute: Some(2), expires_at: Some(at(90)), ..new("ci") };
    let (_, secret) = keys.create(limited, at(0), &SystemChance).await.unwrap();
    let admit = |secs| keys.admit(secret.as_bytes(), at(secs));
    assert!(matches!(admit(1), Admission::Known(..)));
    assert!(matches!(admit(1), Admission::Known(..)));
    assert_eq!(admit(1), Admission::Limited(Span::from_secs(30)));
    assert!(matches!(admit(31), Admission::Known(..)));
    assert_eq!(admit(90), Admission::Expired(at(90)));
}

#[tokio::test]
async fn the_last_use_of_a_key_is_kept_without_a_write_for_each() {
    let store = Arc::new(MemoryStore::new());
    let first = keys(&store).await;
    let (_, secret) = first.create(new("ci"), at(0), &SystemChance).await.unwrap();
    first.admit(secret.as_bytes(), at(7));
    assert_eq!(first.list().await.unwrap()[0].used_at, Some(at(7)));
    assert_eq!(keys(&store).await.list().await.unwrap()[0].used_at, None);
    first.note_uses().await.unwrap();
    assert_eq!(keys(&store).await.list().await.unwrap()[0].used_at, Some(at(7)));
}
