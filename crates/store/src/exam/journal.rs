//! Exams of the journal: committed outcomes, in order, under a lease.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::limits::{HISTORY_BYTES, HISTORY_ENTRIES};
use jobmill_model::machine::{EffectNumber, Entry, Outcome};
use jobmill_model::{State, Timestamp, Value};

use super::stage::{Must, Stage, at, complete, draft, entry, fail, nobody, there};
use crate::{Append, Appended, Claimed, Deleted, Store};

pub async fn entries_read_back_in_order(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let (id, token) = (lease.job.id, lease.token);
    let outcomes = [
        Outcome::Done(Value::map([("b", Value::from(1.0)), ("a", Value::Null)])),
        Outcome::Failed { code: "E".into(), message: "it broke, 'so' \"what\"".into() },
        Outcome::Clock(Timestamp::MAX),
        Outcome::Woken,
        Outcome::Signal(Value::from("é\u{0}")),
    ];
    let entry = |(seq, outcome)| {
        let fingerprint = if seq % 2 == 0 { u64::MAX } else { seq };
        let at = super::stage::at(seq as i64);
        Entry { seq, number: EffectNumber(9 - seq), fingerprint, outcome, at }
    };
    let entries: Vec<Entry> = (0..).zip(outcomes).map(entry).collect();
    for entries in [&entries[..2], &entries[2..], &[]] {
        let append = Append { id, token, entries: entries.to_vec(), consumed: vec![] };
        assert_eq!(stage.job_journal(append).await.must(), Appended::Done);
    }
    assert_eq!(stage.journal(id).await, entries);
    assert_eq!(stage.journal_read(id, 3, 9).await.must(), entries[3..]);
    assert_eq!(stage.journal_read(id, 1, 2).await.must(), entries[1..3]);
    assert_eq!(stage.journal_read(id, 5, 9).await.must(), []);
    assert_eq!(stage.journal_read(id, 0, 0).await.must(), []);
    assert_eq!(stage.journal_read(nobody(), 0, 9).await.must(), []);
}

pub async fn an_entry_for_another_place_is_refused(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert_eq!(stage.append(&lease, &[1]).await, Appended::Gap(0));
    assert_eq!(stage.append(&lease, &[0, 1]).await, Appended::Done);
    assert_eq!(stage.append(&lease, &[0, 1]).await, Appended::Gap(2), "it is there already");
    assert_eq!(stage.append(&lease, &[1, 2]).await, Appended::Gap(2));
    assert_eq!(stage.append(&lease, &[3]).await, Appended::Gap(2));
    assert_eq!(stage.journal(lease.job.id).await, [entry(0), entry(1)]);
    assert_eq!(stage.append(&lease, &[2]).await, Appended::Done);
}

pub async fn an_older_lease_writes_nothing(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let older = stage.start(1).await;
    stage.append(&older, &[0]).await;
    stage.job_reclaim(there(), 9, at(1)).await.must();
    let newer = stage.claim(2).await;
    assert_eq!(stage.append(&older, &[1]).await, Appended::Stale);
    assert_eq!(stage.append(&older, &[7]).await, Appended::Stale, "before any other refusal");
    assert_eq!(stage.append(&newer, &[1]).await, Appended::Done);
    let mut unknown = newer.clone();
    unknown.job.id = nobody();
    assert_eq!(stage.append(&unknown, &[0]).await, Appended::Stale);
    assert_eq!(stage.journal(newer.job.id).await, [entry(0), entry(1)]);
}

pub async fn jobs_have_journals_of_their_own(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let one = stage.start(1).await;
    let two = stage.start(2).await;
    assert_eq!(stage.append(&one, &[0, 1]).await, Appended::Done);
    assert_eq!(stage.append(&two, &[0]).await, Appended::Done);
    assert_eq!(stage.journal(two.job.id).await, [entry(0)]);
    assert_eq!(stage.journal(stage.submit(draft(3)).await).await, []);
}

/// Three signals are sent; these entries take the second.
async fn take_the_second(stage: &Stage, lease: &Claimed, seq: u64) -> Appended {
    let (id, token) = (lease.job.id, lease.token);
    let append = Append { id, token, entries: vec![entry(seq)], consumed: vec![2, 77] };
    stage.job_journal(append).await.must()
}

pub async fn entries_take_their_signals_out_of_the_inbox(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    for _ in 0..3 {
        stage.signal(id).await;
    }
    assert_eq!(take_the_second(&stage, &lease, 9).await, Appended::Gap(0));
    assert_eq!(stage.inbox(id).await, [1, 2, 3], "refused entries take nothing");
    assert_eq!(take_the_second(&stage, &lease, 0).await, Appended::Done);
    assert_eq!(stage.inbox(id).await, [1, 3]);
    assert_eq!(take_the_second(&stage, &lease, 1).await, Appended::Done, "taken is taken");
    let late = Claimed { token: lease.token.next(), ..lease.clone() };
    let append = Append { id, token: late.token, entries: vec![], consumed: vec![1] };
    assert_eq!(stage.job_journal(append).await.must(), Appended::Stale);
    assert_eq!(stage.inbox(id).await, [1, 3]);
}

pub async fn signals_can_be_taken_without_an_entry(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let (id, token) = (lease.job.id, lease.token);
    stage.signal(id).await;
    let append = Append { id, token, entries: vec![], consumed: vec![1] };
    assert_eq!(stage.job_journal(append).await.must(), Appended::Done);
    assert_eq!((stage.inbox(id).await, stage.journal(id).await), (vec![], vec![]));
}

pub async fn the_journal_of_an_ended_run_is_deleted_alone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    assert_eq!(stage.append(&lease, &[0, 1]).await, Appended::Done);
    let refused = Deleted::Refused(State::Running);
    assert_eq!(stage.journal_delete(id).await.must(), refused);
    assert_eq!(stage.journal(id).await.len(), 2);
    stage.settle(&lease, fail(), 2).await;
    let before = stage.job(id).await;
    assert_eq!(stage.journal_delete(id).await.must(), Deleted::Done);
    assert_eq!((stage.journal(id).await, stage.job(id).await), (vec![], before));
    assert_eq!(stage.journal_delete(id).await.must(), Deleted::Done, "there is none any more");
    assert_eq!(stage.journal_delete(nobody()).await.must(), Deleted::Unknown);
}

pub async fn a_journal_that_is_too_long_or_too_large_is_not_kept(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let long = stage.start(1).await;
    let (id, token) = (long.job.id, long.token);
    let entries = (0..=HISTORY_ENTRIES).map(entry).collect();
    let append = Append { id, token, entries, consumed: vec![] };
    assert_eq!(stage.job_journal(append).await.must(), Appended::Done);
    stage.settle(&long, complete(), 1).await;
    assert_eq!(stage.journal(id).await, []);
    let large = stage.start(2).await;
    let (id, token) = (large.job.id, large.token);
    let half = "x".repeat(HISTORY_BYTES as usize / 2);
    let outcome = Outcome::Done(half.as_str().into());
    let entries = (0..2).map(|seq| Entry { outcome: outcome.clone(), ..entry(seq) }).collect();
    let append = Append { id, token, entries, consumed: vec![] };
    assert_eq!(stage.job_journal(append).await.must(), Appended::Done);
    assert_eq!(stage.journal(id).await.len(), 2);
    stage.settle(&large, fail(), 2).await;
    assert_eq!(stage.journal(id).await, []);
    stage.job_retry(&[id], at(3)).await.must();
    let lease = stage.claim(4).await;
    assert_eq!(stage.append(&lease, &[0]).await, Appended::Done);
}
