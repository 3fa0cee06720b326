//! Exams of parking: a machine waits without a worker, and no wake-up is lost.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{State, Token};

use super::stage::{Must, Stage, at, complete, draft};
use crate::{Append, Appended, Parked, Settled, Store};

pub async fn a_parked_job_runs_on_without_a_lease(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert_eq!(stage.park(&lease, Some(50), 0).await, Parked::Done);
    stage.assert_stale(&lease).await;
    let job = stage.job(lease.job.id).await;
    assert_eq!((job.state, job.waiting_for.as_deref()), (State::Running, Some("a sign")));
    assert_eq!(job.run_at, lease.job.run_at);
    assert_eq!(stage.claim_all(60).await, [], "only a promotion tells that time has passed");
}

pub async fn it_wakes_when_its_time_has_come(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.append(&lease, &[0]).await;
    stage.park(&lease, Some(50), 0).await;
    assert_eq!(stage.job_promote(at(49), 9).await.must().count, 0);
    assert_eq!(stage.job_promote(at(50), 9).await.must().count, 1);
    assert_eq!(stage.state(lease.job.id).await, State::Running);
    let woken = stage.claim(51).await;
    assert_eq!((woken.token, woken.job.attempt), (Token(2), 1));
    assert_eq!((woken.job.state, &woken.job.waiting_for), (State::Running, &None));
    assert_eq!(woken.job.started_at, Some(at(0)));
    assert_eq!(stage.journal(woken.job.id).await.len(), 1);
    assert_eq!(stage.append(&woken, &[1]).await, Appended::Done);
    assert_eq!(stage.settle(&woken, complete(), 52).await, Settled::Done(State::Completed));
}

pub async fn it_wakes_with_a_signal(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.park(&lease, Some(50), 0).await;
    stage.signal(lease.job.id).await;
    let woken = stage.claim(1).await;
    assert_eq!((woken.token, &woken.job.waiting_for), (Token(2), &None));
    let promoted = stage.job_promote(at(60), 9).await.must();
    assert_eq!((promoted.count, promoted.next), (0, None), "its time does not matter any more");
}

pub async fn without_a_time_only_a_signal_wakes_it(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.parked(1).await;
    let promoted = stage.job_promote(at(1_000_000), 9).await.must();
    assert_eq!((promoted.count, promoted.next), (0, None));
    assert_eq!(stage.claim_all(1_000_000).await, []);
    stage.signal(lease.job.id).await;
    assert_eq!(stage.claim_all(1_000_000).await, [lease.job.id]);
}

pub async fn a_signal_that_it_has_not_seen_keeps_it_awake(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.signal(lease.job.id).await;
    let before = stage.job(lease.job.id).await;
    assert_eq!(stage.park(&lease, Some(50), 0).await, Parked::Awake);
    assert_eq!(stage.job(lease.job.id).await, before, "the lease goes on");
    stage.signal(lease.job.id).await;
    assert_eq!(stage.park(&lease, Some(50), 1).await, Parked::Awake);
    assert_eq!(stage.park(&lease, Some(50), 2).await, Parked::Done, "it has seen both");
    assert_eq!(stage.inbox(lease.job.id).await, [1, 2], "seeing is not taking");
}

pub async fn a_signal_that_was_taken_does_not_count(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let (id, token) = (lease.job.id, lease.token);
    let number = stage.signal(id).await;
    let entries = vec![super::stage::entry(0)];
    let taken = Append { id, token, entries, consumed: vec![number] };
    assert_eq!(stage.job_journal(taken).await.must(), Appended::Done);
    assert_eq!(stage.park(&lease, None, 0).await, Parked::Done);
    assert_eq!(stage.signal(id).await, 2);
    assert_eq!(stage.claim_all(1).await, [id]);
}

pub async fn a_signal_of_an_earlier_run_does_not_count(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    stage.signal(id).await;
    stage.job_cancel(&[id], at(1)).await.must();
    stage.job_retry(&[id], at(2)).await.must();
    let lease = stage.claim(3).await;
    assert_eq!(stage.park(&lease, None, 0).await, Parked::Done);
}

pub async fn a_time_that_has_passed_wakes_it_with_the_next_promotion(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert_eq!(stage.park(&lease, Some(-5), 0).await, Parked::Done);
    assert_eq!(stage.claim_all(1).await, []);
    assert_eq!(stage.job_promote(at(1), 9).await.must().count, 1);
    assert_eq!(stage.claim_all(1).await, [lease.job.id]);
}

pub async fn a_woken_job_is_claimed_at_its_old_rank(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.park(&lease, Some(50), 0).await;
    stage.submit(draft(2).at(10)).await;
    stage.job_promote(at(50), 9).await.must();
    assert_eq!(stage.claim_all(60).await, [lease.job.id, draft(2).at(10).id()]);
}

pub async fn it_can_be_parked_again_and_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.submit(draft(1)).await;
    for round in 1..=4 {
        let lease = stage.claim(0).await;
        assert_eq!((lease.token, lease.job.attempt), (Token(round), 1));
        assert_eq!(stage.park(&lease, None, round - 1).await, Parked::Done);
        assert_eq!(stage.signal(lease.job.id).await, round);
    }
}
