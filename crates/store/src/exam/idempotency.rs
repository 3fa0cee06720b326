//! Exams of idempotency: the same key gives the same jobs.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::JobId;
use jobmill_model::job::{Fingerprint, Idempotency};

use super::stage::{
    Draft, Must, Stage, at, complete, draft, drafts, everything, fail, offer, submission,
};
use crate::{Inserted, Lodged, Result, Store, StoreError, Submission};

/// A submission under a key that is kept until second 100.
pub(super) fn keyed(drafts: Vec<Draft>, scope: &str, key: &str, body: &str) -> Submission {
    let idempotency = Idempotency {
        scope: scope.to_owned(),
        key: key.to_owned(),
        body: Fingerprint::of(body.as_bytes()),
        keep_until: at(100),
    };
    Submission { idempotency: Some(idempotency), ..submission(drafts) }
}

async fn insert(stage: &Stage, number: u32, key: &str, body: &str) -> Result<Inserted> {
    stage.job_insert(keyed(drafts([number]), "jobs", key, body)).await
}

fn replayed(numbers: impl IntoIterator<Item = u32>) -> Result<Inserted> {
    Ok(Inserted::Replay(ids(numbers)))
}

fn ids(numbers: impl IntoIterator<Item = u32>) -> Vec<JobId> {
    drafts(numbers).iter().map(Draft::id).collect()
}

fn new() -> Result<Inserted> {
    Ok(Inserted::New(vec![Lodged::New(None)]))
}

pub async fn the_same_key_and_body_give_the_same_job(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    assert_eq!(insert(&stage, 2, "k", "body").await, replayed([1]));
    assert_eq!(insert(&stage, 1, "k", "body").await, replayed([1]));
    assert_eq!(stage.list(&everything()).await, ids([1]), "nothing more is stored");
}

pub async fn the_same_key_with_another_body_is_refused(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    assert_eq!(insert(&stage, 2, "k", "other").await, Err(StoreError::KeyReused));
    assert_eq!(stage.list(&everything()).await, ids([1]), "nothing more is stored");
    assert_eq!(insert(&stage, 3, "k", "body").await, replayed([1]), "the key stays as it was");
}

pub async fn another_key_or_scope_is_another_submission(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    assert_eq!(insert(&stage, 2, "K", "body").await, new());
    let elsewhere = keyed(drafts([3]), "elsewhere", "k", "other");
    assert_eq!(stage.job_insert(elsewhere).await, new());
    assert_eq!(stage.insert(submission(drafts([4]))).await, [None], "no key, no memory");
    assert_eq!(stage.insert(submission(drafts([5]))).await, [None]);
}

pub async fn a_bulk_comes_back_in_its_order(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let bulk = keyed(drafts([3, 1, 2]), "jobs", "k", "body");
    assert_eq!(stage.job_insert(bulk).await, Ok(Inserted::New(vec![Lodged::New(None); 3])));
    let again = keyed(drafts([6, 5, 4]), "jobs", "k", "body");
    assert_eq!(stage.job_insert(again).await, replayed([3, 1, 2]));
    let other = keyed(drafts([9, 8, 7]), "jobs", "k", "other");
    assert_eq!(stage.job_insert(other).await, Err(StoreError::KeyReused));
    assert_eq!(stage.list(&everything()).await, ids([3, 2, 1]), "all or nothing");
}

pub async fn a_replay_hands_nothing_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    let again = Submission { offer: offer(1), ..keyed(drafts([2]), "jobs", "k", "body") };
    assert_eq!(stage.job_insert(again).await, replayed([1]));
    assert_eq!(stage.claim_all(0).await, ids([1]), "it is still claimable");
}

pub async fn a_key_outlives_the_end_of_its_job(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    let lease = stage.claim(1).await;
    stage.settle(&lease, complete(), 2).await;
    assert_eq!(stage.idempotency_sweep(at(99), 9).await.must().rows, 0, "its time has not come");
    assert_eq!(insert(&stage, 2, "k", "body").await, replayed([1]));
}

pub async fn a_key_is_forgotten_when_its_time_is_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    let lease = stage.claim(1).await;
    stage.settle(&lease, complete(), 2).await;
    assert_eq!(stage.idempotency_sweep(at(100), 9).await.must().rows, 1);
    assert_eq!(insert(&stage, 2, "k", "other").await, new());
    assert_eq!(insert(&stage, 3, "k", "other").await, replayed([2]));
}

pub async fn a_key_is_kept_while_one_of_its_jobs_is_unfinished(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.job_insert(keyed(drafts([1, 2]), "jobs", "k", "body")).await.must();
    let lease = stage.claim(1).await;
    stage.settle(&lease, complete(), 2).await;
    assert_eq!(stage.idempotency_sweep(at(500), 9).await.must().rows, 0);
    assert_eq!(insert(&stage, 3, "k", "body").await, replayed([1, 2]));
    stage.job_cancel(&ids([2]), at(501)).await.must();
    assert_eq!(stage.idempotency_sweep(at(502), 9).await.must().rows, 1);
}

pub async fn a_new_run_keeps_the_key_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    let lease = stage.claim(1).await;
    stage.settle(&lease, fail(), 2).await;
    stage.job_retry(&ids([1]), at(3)).await.must();
    assert_eq!(stage.idempotency_sweep(at(500), 9).await.must().rows, 0);
    assert_eq!(insert(&stage, 2, "k", "body").await, replayed([1]));
}

pub async fn a_sweep_removes_no_more_keys_than_asked(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for number in 1..=5 {
        assert_eq!(insert(&stage, number, &format!("k{number}"), "body").await, new());
    }
    stage.job_cancel(&ids(1..=5), at(1)).await.must();
    assert_eq!(insert(&stage, 6, "k6", "body").await, new());
    let mut removed = Vec::new();
    loop {
        let swept = stage.idempotency_sweep(at(200), 2).await.must();
        removed.push(swept.rows);
        if !swept.more {
            break;
        }
    }
    assert_eq!(removed.iter().sum::<usize>(), 5, "{removed:?}");
    assert!(removed.iter().all(|rows| *rows <= 2), "{removed:?}");
    assert_eq!(insert(&stage, 7, "k6", "body").await, replayed([6]));
    assert_eq!(insert(&stage, 8, "k1", "body").await, new());
}

pub async fn a_refused_bulk_leaves_no_key_behind(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(insert(&stage, 1, "k", "body").await, new());
    assert_eq!(insert(&stage, 2, "k", "other").await, Err(StoreError::KeyReused));
    stage.job_cancel(&ids([1]), at(1)).await.must();
    assert_eq!(stage.idempotency_sweep(at(200), 9).await.must().rows, 1);
    assert_eq!(insert(&stage, 2, "k", "other").await, new(), "the id is free");
    assert_eq!(stage.job(draft(2).id()).await.run, 1);
}
