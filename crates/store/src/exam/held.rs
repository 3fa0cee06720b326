//! Exams of keys: how many jobs of one key are at work, and whose turn it is.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{JobId, State};

use super::stage::{
    Must, Stage, at, call, complete, draft, fail, name, offer, retry, submission, there,
};
use crate::{Admitted, Call, Parked, Store, Submission};

/// Submits jobs of these numbers under one key.
async fn keyed(stage: &Stage, key: &str, numbers: impl IntoIterator<Item = u32>) -> Vec<JobId> {
    let mut ids = Vec::new();
    for number in numbers {
        ids.push(stage.submit(draft(number).key(key)).await);
    }
    ids
}

pub async fn a_key_has_so_many_places_in_its_queue(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.key_limit = 2).await;
    let ids = keyed(&stage, "ann", 1..=4).await;
    assert_eq!(stage.standing("default").await, (2, 2, 0));
    assert_eq!(stage.state(ids[3]).await, State::Submitted);
    let leases = stage.claim_some(9, 0).await;
    assert_eq!(leases.len(), 2);
    assert_eq!(stage.claim_all(0).await, []);
    stage.settle(&leases[0], complete(), 1).await;
    assert_eq!(stage.claim_all(1).await, [ids[2]]);
    assert_eq!(stage.standing("default").await, (0, 1, 2));
}

pub async fn without_a_rule_jobs_of_a_key_go_one_after_the_other(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = keyed(&stage, "ann", 1..=3).await;
    for (secs, id) in ids.iter().enumerate() {
        let secs = secs as i64;
        let lease = stage.claim(secs).await;
        assert_eq!(lease.job.id, *id);
        assert_eq!(stage.claim_all(secs).await, []);
        stage.settle(&lease, complete(), secs).await;
    }
}

pub async fn keys_and_queues_do_not_count_for_each_other(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = [
        stage.submit(draft(1).key("ann")).await,
        stage.submit(draft(2).key("bob")).await,
        stage.submit(draft(3).key("ann").queue("q")).await,
        stage.submit(draft(4)).await,
    ];
    stage.submit(draft(5).key("ann")).await;
    assert_eq!(stage.claim_all(0).await, ids);
}

pub async fn every_end_of_a_lease_lets_the_next_of_its_key_through(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = keyed(&stage, "ann", 1..=6).await;
    let lease = stage.claim(0).await;
    stage.settle(&lease, fail(), 1).await;
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, ids[1], "after a failure");
    stage.settle(&lease, retry(90), 1).await;
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, ids[2], "after an attempt that failed");
    stage.job_cancel(&[ids[2]], at(1)).await.must();
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, ids[3], "after a cancellation");
    assert_eq!(stage.park(&lease, None, 0).await, Parked::Done);
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, ids[4], "after a pause of the job");
    stage.job_reclaim(there(), 0, at(2)).await.must();
    assert_eq!(stage.claim(2).await.job.id, ids[5], "after too many workers were lost");
}

pub async fn every_end_of_a_lease_outside_lets_the_next_of_its_key_through(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = keyed(&stage, "ann", 1..=3).await;
    let lent = async |secs| {
        let lent = stage.job_lease(Call { max: 9, ..call(secs) }).await.must();
        lent.iter().map(|lent| lent.job.id).collect::<Vec<_>>()
    };
    assert_eq!(lent(0).await, [ids[0]]);
    assert_eq!(stage.lease_expire(at(10), 0, 0.0, 9).await.must().jobs.len(), 1);
    let lease = stage.lend(10).await;
    assert_eq!(lease.job.id, ids[1], "after a worker was lost for good");
    stage.settle(&lease, complete(), 11).await;
    assert_eq!(lent(11).await, [ids[2]], "after a completion");
}

pub async fn a_job_that_is_handed_back_keeps_its_place(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = keyed(&stage, "ann", 1..=2).await;
    let lease = stage.claim(0).await;
    stage.release(&lease).await;
    assert_eq!(stage.claim_all(1).await, [ids[0]]);
    stage.job_reclaim(there(), 9, at(2)).await.must();
    assert_eq!(stage.claim_all(2).await, [ids[0]]);
    assert_eq!(stage.standing("default").await, (0, 1, 1));
}

pub async fn a_ready_job_that_is_cancelled_gives_its_place_away(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = keyed(&stage, "ann", 1..=3).await;
    stage.job_cancel(&[ids[1]], at(1)).await.must();
    assert_eq!(stage.standing("default").await, (1, 1, 0), "a held one had none to give");
    stage.job_cancel(&[ids[0]], at(1)).await.must();
    assert_eq!(stage.claim_all(1).await, [ids[2]]);
}

pub async fn the_lowest_rank_of_a_key_is_next(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let first = stage.submit(draft(1).key("ann")).await;
    let low = stage.submit(draft(2).key("ann").priority(-5)).await;
    let high = stage.submit(draft(3).key("ann").priority(5)).await;
    for (secs, id) in [(0, first), (1, high), (2, low)] {
        let lease = stage.claim(secs).await;
        assert_eq!(lease.job.id, id);
        stage.settle(&lease, complete(), secs).await;
    }
}

pub async fn a_key_with_many_jobs_does_not_hold_up_another(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.key_limit = 2).await;
    let many = keyed(&stage, "ann", 1..=9).await;
    let late = stage.submit(draft(1).at(5).key("bob")).await;
    let mut order = Vec::new();
    for secs in 6..10 {
        let lease = stage.claim(secs).await;
        order.push(lease.job.id);
        stage.settle(&lease, complete(), secs).await;
    }
    assert_eq!(order, [many[0], many[1], late, many[2]], "it waits for two, not for nine");
}

pub async fn a_woken_job_lines_up_behind_its_key(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parked = stage.submit(draft(1).key("ann")).await;
    let lease = stage.claim(0).await;
    stage.park(&lease, None, 0).await;
    let next = stage.submit(draft(2).key("ann")).await;
    let lease = stage.claim(0).await;
    assert_eq!(lease.job.id, next);
    stage.signal(parked).await;
    stage.signal(parked).await;
    assert_eq!(stage.standing("default").await, (0, 1, 1));
    assert_eq!(stage.state(parked).await, State::Running);
    stage.settle(&lease, complete(), 1).await;
    assert_eq!(stage.claim_all(1).await, [parked]);
}

pub async fn a_job_that_comes_due_lines_up_behind_its_key(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let now = stage.submit(draft(1).key("ann")).await;
    let later = stage.submit(draft(2).key("ann").start(5)).await;
    assert_eq!(stage.job_promote(at(5), 9).await.must().count, 1);
    let lease = stage.claim(5).await;
    assert_eq!(lease.job.id, now);
    assert_eq!(stage.claim_all(5).await, []);
    assert_eq!(stage.job_promote(at(9), 9).await.must().count, 0, "it does not come due again");
    stage.settle(&lease, complete(), 6).await;
    assert_eq!(stage.claim_all(6).await, [later]);
}

pub async fn a_new_run_lines_up_behind_its_key(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = keyed(&stage, "ann", 1..=2).await;
    let lease = stage.claim(0).await;
    stage.settle(&lease, fail(), 1).await;
    stage.job_retry(&[ids[0]], at(1)).await.must();
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.id, ids[1]);
    assert_eq!(stage.claim_all(1).await, []);
    stage.settle(&lease, complete(), 2).await;
    assert_eq!(stage.claim_all(2).await, [ids[0]]);
}

pub async fn a_held_job_is_not_handed_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![draft(1).key("ann"), draft(2).key("ann"), draft(3).key("bob")];
    let tokens = stage.insert(Submission { offer: offer(9), ..submission(jobs) }).await;
    assert_eq!(tokens.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(stage.claim_all(0).await, []);
    assert_eq!(stage.standing("default").await, (0, 1, 2));
}

pub async fn held_jobs_do_not_keep_others_from_being_handed_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    keyed(&stage, "ann", 1..=3).await;
    assert_eq!(stage.claim_some(9, 0).await.len(), 1);
    let other = vec![draft(4).key("bob")];
    let tokens = stage.insert(Submission { offer: offer(1), ..submission(other) }).await;
    assert!(tokens[0].is_some());
}

pub async fn a_raised_limit_lets_held_jobs_through(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ann = keyed(&stage, "ann", 1..=4).await;
    let bob = keyed(&stage, "bob", 5..=6).await;
    assert_eq!(stage.held_admit(at(0), 9).await.must(), Admitted::default());
    stage.rules("default", |rules| rules.key_limit = 3).await;
    let admitted = stage.held_admit(at(1), 2).await.must();
    assert_eq!(admitted, Admitted { count: 2, more: true });
    let admitted = stage.held_admit(at(1), 2).await.must();
    assert_eq!(admitted, Admitted { count: 1, more: false });
    let mut claimed = stage.claim_all(1).await;
    claimed.sort_unstable();
    assert_eq!(claimed, [ann[0], ann[1], ann[2], bob[0], bob[1]]);
}

pub async fn a_lowered_limit_of_keys_holds_once_enough_have_ended(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.rules("default", |rules| rules.key_limit = 3).await;
    let ids = keyed(&stage, "ann", 1..=4).await;
    stage.rules("default", |rules| rules.key_limit = 1).await;
    let leases = stage.claim_some(9, 0).await;
    assert_eq!(leases.len(), 3, "they had been let through");
    for lease in &leases {
        assert_eq!(stage.claim_all(1).await, []);
        stage.settle(lease, complete(), 1).await;
    }
    assert_eq!(stage.claim_all(1).await, [ids[3]]);
    assert_eq!(stage.queue_get(&name("default"), at(1)).await.must().rules.key_limit, 1);
}
