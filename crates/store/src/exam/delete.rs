//! Exams of deleting: what belongs to a job goes with it, and nothing else does.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::{Fingerprint, Idempotency};
use jobmill_model::output::{Extent, Shape};
use jobmill_model::{JobId, State};

use super::stage::{
    Must, Stage, at, complete, draft, everything, fail, nobody, object_chunk, submission,
};
use crate::{Deleted, Inserted, JobQuery, Store};

async fn delete(stage: &Stage, id: JobId) -> Deleted {
    stage.job_delete(&[id]).await.must()[0]
}

/// Submits a job and completes it with an object of these keys.
async fn publish(stage: &Stage, number: u32, keys: &[&str]) -> JobId {
    let lease = stage.start(number).await;
    let extent = Extent { shape: Shape::Object, len: keys.len() as u64 };
    stage.publish(&lease, extent, vec![object_chunk(0, keys)]).await;
    lease.job.id
}

/// The keys and numbers of a page of entries, and how many there are in all.
async fn entries(stage: &Stage, skip: u64, limit: usize) -> (Vec<(String, u64)>, u64) {
    let page = stage.pair_page(skip, limit).await.must();
    (page.pairs.into_iter().map(|pair| (pair.key, pair.number)).collect(), page.total)
}

fn named(entries: &[(&str, u64)]) -> Vec<(String, u64)> {
    entries.iter().map(|(key, number)| ((*key).to_owned(), *number)).collect()
}

pub async fn an_ended_job_is_deleted_with_all_that_belongs_to_it(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let failed = stage.ended(1, fail()).await;
    let completed = publish(&stage, 2, &["a"]).await;
    let journaled = stage.start(4).await;
    stage.append(&journaled, &[0, 1]).await;
    stage.settle(&journaled, fail(), 4).await;
    let cancelled =
        stage.submit(draft(3).tags(&["red"]).input(&format!("[{}]", "1,".repeat(900) + "1"))).await;
    stage.job_cancel(&[cancelled], at(2)).await.must();
    for id in [failed, completed, cancelled, journaled.job.id] {
        assert_eq!(delete(&stage, id).await, Deleted::Done);
        assert_eq!(stage.job_get(&[id]).await.must(), [None]);
        assert_eq!(stage.attempts(id).await, []);
        assert_eq!(stage.journal(id).await, []);
        assert_eq!(stage.output_extent(id).await.must(), None);
        assert_eq!(stage.output_read(id, 0, 1_000).await.must(), []);
        assert_eq!(delete(&stage, id).await, Deleted::Unknown);
        assert_eq!(stage.job_retry(&[id], at(3)).await.must(), [crate::Retried::Unknown]);
    }
}

pub async fn a_job_that_has_not_ended_is_not_deleted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let running = stage.start(1).await.job.id;
    let parked = stage.parked(2).await.job.id;
    let waiting = stage.submit(draft(3)).await;
    let later = stage.submit(draft(4).start(50)).await;
    let ids = [running, parked, waiting, later, nobody()];
    let before = stage.job_get(&ids).await.must();
    assert_eq!(
        stage.job_delete(&ids).await.must(),
        [
            Deleted::Refused(State::Running),
            Deleted::Refused(State::Running),
            Deleted::Refused(State::Submitted),
            Deleted::Refused(State::Scheduled),
            Deleted::Unknown,
        ]
    );
    assert_eq!(stage.job_get(&ids).await.must(), before);
}

pub async fn a_job_is_deleted_once_in_a_call(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, complete()).await;
    let deleted = stage.job_delete(&[id, id]).await.must();
    assert_eq!(deleted, [Deleted::Done, Deleted::Unknown]);
}

pub async fn a_child_is_kept_while_its_parent_may_read_it(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.parked(1).await.job.id;
    let child = stage.submit(draft(2).parent(parent)).await;
    let lease = stage.claim(0).await;
    stage.settle(&lease, complete(), 1).await;
    assert_eq!(delete(&stage, child).await, Deleted::Needed);
    assert_eq!(stage.state(child).await, State::Completed);
    stage.job_cancel(&[parent], at(2)).await.must();
    assert_eq!(delete(&stage, child).await, Deleted::Done);
}

pub async fn children_outlive_their_parent(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.ended(1, complete()).await;
    let child = stage.submit(draft(2).parent(parent)).await;
    assert_eq!(delete(&stage, parent).await, Deleted::Done);
    assert_eq!(stage.job(child).await.spec.parent, Some(parent));
    let lease = stage.claim(0).await;
    stage.settle(&lease, complete(), 1).await;
    assert_eq!(delete(&stage, child).await, Deleted::Done);
}

pub async fn a_deleted_job_is_in_no_list_and_no_total(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let red = stage.submit(draft(1).tags(&["red"])).await;
    stage.job_cancel(&[red], at(1)).await.must();
    let kept = stage.ended(2, fail()).await;
    assert_eq!(delete(&stage, red).await, Deleted::Done);
    assert_eq!(stage.list(&everything()).await, [kept]);
    let by_tag = JobQuery { tag: Some(super::stage::name("red")), ..everything() };
    assert_eq!(stage.list(&by_tag).await, []);
    let tally = stage.tally_read().await.must();
    assert_eq!((tally.0[&State::Cancelled], tally.0[&State::Failed]), (0, 1));
}

pub async fn entries_of_other_jobs_keep_their_numbers(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    publish(&stage, 1, &["a", "b"]).await;
    let gone = publish(&stage, 2, &["c", "d", "e"]).await;
    publish(&stage, 3, &["f"]).await;
    assert_eq!(delete(&stage, gone).await, Deleted::Done);
    let left = named(&[("a", 1), ("b", 2), ("f", 6)]);
    assert_eq!(entries(&stage, 0, 10).await, (left, 3));
}

pub async fn entries_are_paged_over_what_was_deleted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut ids = Vec::new();
    for number in 1..=6 {
        ids.push(publish(&stage, number, &[&format!("a{number}"), &format!("b{number}")]).await);
    }
    // In the middle, beside it on both sides, and at the beginning.
    for gone in [3, 2, 4, 0] {
        assert_eq!(delete(&stage, ids[gone]).await, Deleted::Done);
    }
    let all = named(&[("a2", 3), ("b2", 4), ("a6", 11), ("b6", 12)]);
    for skip in 0..=5 {
        let rest = all.iter().skip(skip).take(2).cloned().collect();
        assert_eq!(entries(&stage, skip as u64, 2).await, (rest, 4), "after {skip}");
    }
    for gone in [1, 5] {
        assert_eq!(delete(&stage, ids[gone]).await, Deleted::Done);
    }
    assert_eq!(entries(&stage, 0, 10).await, (vec![], 0));
}

pub async fn a_number_of_a_deleted_entry_is_not_used_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let gone = publish(&stage, 1, &["a", "b"]).await;
    assert_eq!(delete(&stage, gone).await, Deleted::Done);
    publish(&stage, 2, &["c"]).await;
    assert_eq!(entries(&stage, 0, 10).await, (named(&[("c", 3)]), 1));
}

pub async fn chunks_of_a_deleted_job_are_swept(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let (id, token) = (lease.job.id, lease.token);
    let count = 200;
    for first in 0..count {
        let chunk = object_chunk(first, &[&first.to_string()]);
        assert!(stage.output_append(id, token, vec![chunk]).await.must());
    }
    stage.publish(&lease, Extent { shape: Shape::Object, len: count }, vec![]).await;
    assert_eq!(delete(&stage, id).await, Deleted::Done);
    assert_eq!(stage.output_read(id, 0, 1_000).await.must(), []);
    assert_eq!(entries(&stage, 0, 10).await, (vec![], 0));
    while stage.output_sweep(50).await.must().more {}
    assert_eq!(stage.output_sweep(50).await.must(), crate::Swept { rows: 0, more: false });
}

pub async fn an_idempotency_key_outlives_its_job(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let key = Idempotency::new("s", "order-1", Fingerprint::of(b"x"), at(0));
    let key = Some(key.expect("exams use good keys"));
    let first = super::stage::draft(1);
    let id = first.id();
    let mut posted = submission(vec![first]);
    posted.idempotency = key.clone();
    assert_eq!(stage.insert(posted).await, [None]);
    stage.job_cancel(&[id], at(1)).await.must();
    assert_eq!(delete(&stage, id).await, Deleted::Done);
    let mut again = submission(vec![draft(2)]);
    again.idempotency = key;
    assert_eq!(stage.job_insert(again).await.must(), Inserted::Replay(vec![id]));
    assert_eq!(stage.list(&everything()).await, []);
}
