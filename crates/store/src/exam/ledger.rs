//! Exams of the ledger: the result of a step is recorded once a run.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::limits::LEDGER_EFFECTS;
use jobmill_model::{JobId, State};

use super::stage::{Must, Stage, at, complete, draft, fail, json, name, nobody, retry};
use crate::{Claimed, EffectPut, Noted, Settled, Store};

fn step(lease: &Claimed, step: &str, value: &str) -> EffectPut {
    let (id, token) = (lease.job.id, lease.token);
    EffectPut { id, token, name: name(step), value: json(value) }
}

async fn note(stage: &Stage, lease: &Claimed, name: &str, value: &str) -> Noted {
    stage.effect_put(step(lease, name, value)).await.must()
}

/// The names of all steps.
async fn steps(stage: &Stage, id: JobId) -> Vec<String> {
    let steps = stage.effect_list(id, None, 100).await.must();
    steps.into_iter().map(|(name, _)| name.to_string()).collect()
}

pub async fn the_first_result_of_a_step_counts(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    assert_eq!(stage.effect_get(id, &name("pay")).await.must(), None);
    assert_eq!(note(&stage, &lease, "pay", r#"{"paid":7}"#).await, Noted::New);
    let known = Noted::Known(json(r#"{"paid":7}"#));
    for again in [r#"{"paid":7}"#, "8"] {
        assert_eq!(note(&stage, &lease, "pay", again).await, known);
    }
    assert_eq!(stage.effect_get(id, &name("pay")).await.must(), Some(json(r#"{"paid":7}"#)));
    assert_eq!(stage.effect_get(id, &name("Pay")).await.must(), None, "a name is exact");
    assert_eq!(stage.effect_get(nobody(), &name("pay")).await.must(), None);
}

pub async fn steps_read_back_by_name_in_pages(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    for (name, value) in [("b", "2"), ("a", "1"), ("é", "4"), ("c", "3")] {
        assert_eq!(note(&stage, &lease, name, value).await, Noted::New);
    }
    let page = stage.effect_list(id, None, 2).await.must();
    assert_eq!(page, [(name("a"), json("1")), (name("b"), json("2"))]);
    let page = stage.effect_list(id, Some(&name("b")), 9).await.must();
    assert_eq!(page, [(name("c"), json("3")), (name("é"), json("4"))]);
    assert_eq!(stage.effect_list(id, Some(&name("é")), 9).await.must(), []);
    assert_eq!(stage.effect_list(nobody(), None, 9).await.must(), []);
}

pub async fn an_older_lease_notes_nothing(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lost = stage.start(1).await;
    note(&stage, &lost, "a", "1").await;
    assert!(stage.release(&lost).await);
    assert_eq!(note(&stage, &lost, "b", "2").await, Noted::Stale);
    let lease = stage.claim(1).await;
    assert_eq!(note(&stage, &lost, "a", "9").await, Noted::Stale, "not even a known one");
    assert_eq!(note(&stage, &lease, "c", "3").await, Noted::New);
    assert_eq!(steps(&stage, lease.job.id).await, ["a", "c"]);
    let nobody = EffectPut { id: nobody(), ..step(&lease, "a", "1") };
    assert_eq!(stage.effect_put(nobody).await.must(), Noted::Stale);
}

pub async fn the_next_worker_finds_the_steps(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.submit(draft(1)).await;
    let lost = stage.lend(0).await;
    note(&stage, &lost, "a", "1").await;
    stage.lease_expire(at(10), 9, 0.0, 9).await.must();
    let second = stage.lend(10).await;
    assert_eq!(note(&stage, &second, "a", "9").await, Noted::Known(json("1")));
    assert_eq!(stage.settle(&second, retry(11), 11).await, Settled::Done(State::Scheduled));
    stage.job_promote(at(11), 9).await.must();
    let third = stage.lend(11).await;
    assert_eq!(note(&stage, &third, "a", "9").await, Noted::Known(json("1")), "attempts share it");
}

pub async fn an_ended_run_leaves_no_steps(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, verdict) in (1..).zip([complete(), fail()]) {
        let lease = stage.start(number).await;
        note(&stage, &lease, "a", "1").await;
        stage.settle(&lease, verdict, 1).await;
        assert_eq!(steps(&stage, lease.job.id).await, [""; 0]);
    }
    let cancelled = stage.start(3).await;
    note(&stage, &cancelled, "a", "1").await;
    assert!(stage.release(&cancelled).await);
    stage.job_cancel(&[cancelled.job.id], at(2)).await.must();
    assert_eq!(steps(&stage, cancelled.job.id).await, [""; 0]);
}

pub async fn a_new_run_begins_with_no_steps(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    note(&stage, &lease, "a", "1").await;
    stage.settle(&lease, fail(), 1).await;
    stage.job_retry(&[lease.job.id], at(2)).await.must();
    let lease = stage.claim(2).await;
    assert_eq!(note(&stage, &lease, "a", "2").await, Noted::New);
}

pub async fn jobs_have_ledgers_of_their_own(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let (one, two) = (stage.start(1).await, stage.start(2).await);
    assert_eq!(note(&stage, &one, "a", "1").await, Noted::New);
    assert_eq!(note(&stage, &two, "a", "2").await, Noted::New);
    stage.settle(&one, complete(), 1).await;
    assert_eq!(steps(&stage, two.job.id).await, ["a"]);
}

pub async fn a_ledger_has_room_for_so_many_steps(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let puts = (0..LEDGER_EFFECTS).map(|n| stage.effect_put(step(&lease, &n.to_string(), "0")));
    let noted = futures::future::join_all(puts).await;
    assert!(noted.into_iter().all(|noted| noted.must() == Noted::New));
    assert_eq!(note(&stage, &lease, "more", "0").await, Noted::Full);
    assert_eq!(note(&stage, &lease, "0", "1").await, Noted::Known(json("0")));
}
