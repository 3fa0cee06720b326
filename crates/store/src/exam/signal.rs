//! Exams of the inbox.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::State;
use jobmill_model::job::Verdict;

use super::stage::{Must, Stage, at, complete, draft, entry, fail, json, name, nobody};
use crate::{Append, Signal, Signalled, Store};

pub async fn signals_are_numbered_job_by_job(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let two = stage.start(2).await.job.id;
    let one = stage.submit(draft(1)).await;
    assert_eq!([stage.signal(one).await, stage.signal(one).await], [1, 2]);
    assert_eq!([stage.signal(two).await, stage.signal(one).await], [1, 3]);
    assert_eq!(stage.inbox(two).await, [1]);
}

pub async fn signals_read_back_in_order(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1)).await;
    let payloads = [r#"{"b":1,"a":"é\u0000"}"#, "null", "[1.0]"];
    let mut sent = Vec::new();
    for (number, payload) in (1..).zip(payloads) {
        let signal = Signal { number, name: name(payload), payload: json(payload) };
        let answer = stage.job_signal(id, &signal.name, &signal.payload).await.must();
        assert_eq!(answer, Signalled::Done(number));
        sent.push(signal);
    }
    assert_eq!(stage.signal_read(id, 0, 9).await.must(), sent);
    assert_eq!(stage.signal_read(id, 1, 1).await.must(), sent[1..2]);
    assert_eq!(stage.signal_read(id, 3, 9).await.must(), []);
    assert_eq!(stage.signal_read(id, 0, 0).await.must(), []);
    assert_eq!(stage.signal_read(nobody(), 0, 9).await.must(), []);
}

pub async fn a_number_is_never_used_twice(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let (id, token) = (lease.job.id, lease.token);
    stage.signal(id).await;
    stage.signal(id).await;
    let append = Append { id, token, entries: vec![entry(0)], consumed: vec![1, 2] };
    stage.job_journal(append).await.must();
    assert!(stage.inbox(id).await.is_empty());
    assert_eq!(stage.signal(id).await, 3);
}

pub async fn an_ended_job_takes_no_signal(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, verdict, state) in [
        (1, complete(), State::Completed),
        (2, fail(), State::Failed),
        (3, Verdict::Cancel, State::Cancelled),
    ] {
        let id = stage.ended(number, verdict).await;
        let answer = stage.job_signal(id, &name("go"), &json("1")).await.must();
        assert_eq!(answer, Signalled::Ended(state));
        assert!(stage.inbox(id).await.is_empty());
    }
    let answer = stage.job_signal(nobody(), &name("go"), &json("1")).await.must();
    assert_eq!(answer, Signalled::Unknown);
}

pub async fn a_signal_moves_no_job_that_is_not_parked(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let leased = stage.start(1).await;
    let again = stage.ended(2, super::stage::retry(50)).await;
    let delayed = stage.submit(draft(3).start(50)).await;
    let waiting = stage.submit(draft(4).flow("g")).await;
    let ids = [leased.job.id, again, delayed, waiting];
    let before = stage.job_get(&ids).await.must();
    for id in ids {
        assert_eq!(stage.signal(id).await, 1);
    }
    assert_eq!(stage.job_get(&ids).await.must(), before);
    assert_eq!(stage.claim_all(9).await, []);
    assert_eq!(stage.job_promote(at(50), 9).await.must().count, 2);
    assert_eq!(stage.inbox(delayed).await, [1]);
}

pub async fn more_signals_wake_a_job_once(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.parked(1).await.job.id;
    stage.signal(id).await;
    stage.signal(id).await;
    assert_eq!(stage.claim(1).await.job.id, id);
    assert_eq!(stage.signal(id).await, 3);
    assert_eq!(stage.claim_all(1).await, []);
    assert_eq!(stage.inbox(id).await, [1, 2, 3]);
}
