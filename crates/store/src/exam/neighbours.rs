//! Exams of verbs at the same time: each is one step, whatever is written beside it.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use futures::future::{join, join_all};
use jobmill_model::State;
use jobmill_model::job::{Fingerprint, Idempotency};

use super::stage::{
    Must, Stage, at, claim, complete, draft, drafts, everything, fail, offer, submission,
};
use crate::{Claimed, Inserted, Lodged, Settled, Store, StoreError, Submission};

fn keyed(number: u32, body: &str) -> Submission {
    let (scope, key) = ("jobs".to_owned(), "k".to_owned());
    let body = Fingerprint::of(body.as_bytes());
    let idempotency = Some(Idempotency { scope, key, body, keep_until: at(100) });
    Submission { idempotency, ..submission(drafts([number])) }
}

pub async fn every_job_goes_to_one_claim(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.insert(submission(drafts(1..=20))).await;
    let claims = (0..25).map(|_| stage.job_claim(claim(1)));
    let claimed = join_all(claims).await.into_iter().flat_map(Must::must);
    let mut ids: Vec<_> = claimed.map(|claimed| claimed.job.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, drafts(1..=20).iter().map(|draft| draft.id()).collect::<Vec<_>>());
}

pub async fn one_settlement_counts(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let verdicts = (0..10).map(|n| if n % 2 == 0 { complete() } else { fail() });
    let settled = join_all(verdicts.map(|verdict| stage.settle(&lease, verdict, 1))).await;
    let done: Vec<_> = settled.iter().filter(|settled| **settled != Settled::Stale).collect();
    assert_eq!(done, [&Settled::Done(stage.state(lease.job.id).await)]);
}

pub async fn one_submission_under_a_key_is_stored(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let answers = join_all((1..=10).map(|n| stage.job_insert(keyed(n, "body")))).await;
    let answers: Vec<_> = answers.into_iter().map(Must::must).collect();
    let new =
        answers.iter().filter(|answer| **answer == Inserted::New(vec![Lodged::New(None)])).count();
    let stored = stage.list(&everything()).await;
    let replayed = answers.iter().filter(|a| **a == Inserted::Replay(stored.clone())).count();
    assert_eq!((new, replayed, stored.len()), (1, 9, 1));
}

pub async fn a_refused_submission_leaves_its_neighbours_alone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.insert(keyed(1, "body")).await;
    let submissions = (2..=31).map(|n| match n % 3 {
        0 => keyed(n, "other"),
        1 => keyed(n, "body"),
        _ => submission(drafts([n])),
    });
    let answers = join_all(submissions.map(|submission| stage.job_insert(submission))).await;
    for (answer, n) in answers.into_iter().zip(2..) {
        let expected = match n % 3 {
            0 => Err(StoreError::KeyReused),
            1 => Ok(Inserted::Replay(vec![draft(1).id()])),
            _ => Ok(Inserted::New(vec![Lodged::New(None)])),
        };
        assert_eq!(answer, expected, "job {n}");
    }
    assert_eq!(stage.list(&everything()).await.len(), 11);
}

pub async fn a_stale_verb_leaves_its_neighbours_alone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut leases = Vec::new();
    for number in 1..=10 {
        leases.push(stage.start(number).await);
    }
    let forged = |lease: &Claimed| Claimed { token: lease.token.next(), ..lease.clone() };
    let leases = leases.into_iter().map(|lease| (forged(&lease), lease));
    let leases: Vec<_> = leases.collect();
    let settle = |lease| stage.settle(lease, complete(), 1);
    let answers = leases.iter().map(|(forged, lease)| join(settle(forged), settle(lease)));
    let expected = (Settled::Stale, Settled::Done(State::Completed));
    assert_eq!(join_all(answers).await, [expected; 10]);
}

pub async fn a_job_is_handed_over_or_claimed_but_not_both(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let offered = |n| Submission { offer: offer(1), ..submission(drafts([n])) };
    let claims = (0..10).map(|_| stage.job_claim(claim(1)));
    let inserts = (1..=10).map(|n| stage.insert(offered(n)));
    let (tokens, claimed) = join(join_all(inserts), join_all(claims)).await;
    let handed_over = tokens.into_iter().flatten().flatten().count();
    let claimed = claimed.into_iter().flat_map(Must::must).count();
    let left = stage.claim_all(2).await.len();
    assert_eq!(handed_over + claimed + left, 10, "each job is leased once");
}
