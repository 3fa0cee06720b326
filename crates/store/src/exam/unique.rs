//! Exams of unique jobs: one of several with the same mark is enough.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{Span, State};

use super::idempotency::keyed;
use super::stage::{
    Draft, Must, Stage, at, complete, draft, everything, fail, offer, retry, submission,
};
use crate::{Inserted, Lodged, Retried, Store, Submission};

/// What becomes of one more job.
async fn lodge(stage: &Stage, draft: Draft) -> Lodged {
    match stage.job_insert(submission(vec![draft])).await.must() {
        Inserted::New(lodged) if lodged.len() == 1 => lodged[0],
        other => panic!("one job, one answer: {other:?}"),
    }
}

/// A job that is in the way of others until so many seconds after its submission.
fn late(number: u32, secs: u64) -> Draft {
    draft(number).unique("k").with(|spec| {
        spec.unique.iter_mut().for_each(|unique| unique.span = Some(Span::from_secs(secs)));
    })
}

pub async fn an_unfinished_job_is_in_the_way_of_its_like(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let first = stage.submit(draft(1).unique("k")).await;
    let known = Lodged::Known(first);
    assert_eq!(lodge(&stage, draft(2).unique("k")).await, known, "while it waits");
    let lease = stage.claim(0).await;
    assert_eq!(lodge(&stage, draft(3).unique("k")).await, known, "while it is at work");
    stage.settle(&lease, retry(90), 1).await;
    assert_eq!(lodge(&stage, draft(4).unique("k")).await, known, "before its next try");
    assert_eq!(stage.list(&everything()).await, [first]);
    stage.job_cancel(&[first], at(2)).await.must();
    assert_eq!(lodge(&stage, draft(5).unique("k")).await, Lodged::New(None), "once it has ended");
}

pub async fn jobs_of_another_mark_or_none_are_not_in_the_way(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.submit(draft(1).unique("k")).await;
    for other in [draft(2), draft(3).unique("l"), draft(4).flow("g").unique("k")] {
        assert_eq!(lodge(&stage, other).await, Lodged::New(None));
    }
}

pub async fn an_ended_job_is_in_the_way_for_its_span(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let first = stage.submit(late(1, 60)).await;
    let lease = stage.claim(0).await;
    stage.settle(&lease, complete(), 1).await;
    assert_eq!(lodge(&stage, draft(2).unique("k").at(59)).await, Lodged::Known(first));
    let second = stage.submit(late(3, 5).at(60)).await;
    let lease = stage.claim(60).await;
    assert_eq!(lodge(&stage, draft(4).unique("k").at(99)).await, Lodged::Known(second));
    stage.settle(&lease, fail(), 99).await;
    assert_eq!(lodge(&stage, draft(5).unique("k").at(99)).await, Lodged::New(None));
}

pub async fn jobs_of_one_submission_are_compared_too(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![draft(1).unique("k"), draft(2), draft(3).unique("k")];
    let inserted = stage.job_insert(submission(jobs)).await.must();
    let new = Lodged::New(None);
    assert_eq!(inserted, Inserted::New(vec![new, new, Lodged::Known(draft(1).id())]));
    assert_eq!(stage.claim_all(0).await, [draft(1).id(), draft(2).id()]);
}

pub async fn a_known_job_takes_no_place_of_an_offer(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.submit(draft(1).unique("k").queue("q")).await;
    let jobs = vec![draft(2).unique("k"), draft(3)];
    let submission = Submission { offer: offer(1), ..submission(jobs) };
    let Inserted::New(lodged) = stage.job_insert(submission).await.must() else {
        panic!("it is new");
    };
    assert_eq!(lodged[0], Lodged::Known(draft(1).id()));
    assert!(matches!(lodged[1], Lodged::New(Some(_))), "{lodged:?}");
}

pub async fn an_idempotency_key_stands_for_the_known_job(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let first = stage.submit(draft(1).unique("k")).await;
    let again = keyed(vec![draft(2).unique("k")], "jobs", "order 7", "body");
    let known = Inserted::New(vec![Lodged::Known(first)]);
    assert_eq!(stage.job_insert(again.clone()).await.must(), known);
    assert_eq!(stage.job_insert(again).await.must(), Inserted::Replay(vec![first]));
}

pub async fn no_new_run_is_opened_beside_another_job_of_the_mark(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let first = stage.submit(draft(1).unique("k")).await;
    stage.job_cancel(&[first], at(1)).await.must();
    let second = stage.submit(draft(2).unique("k")).await;
    assert_eq!(stage.job_retry(&[first], at(2)).await.must(), [Retried::Taken(second)]);
    assert_eq!(stage.state(first).await, State::Cancelled);
    stage.job_cancel(&[second], at(3)).await.must();
    let retried = stage.job_retry(&[first, second], at(4)).await.must();
    assert_eq!(retried, [Retried::Done, Retried::Taken(first)]);
    assert_eq!(lodge(&stage, draft(3).unique("k")).await, Lodged::Known(first));
}

pub async fn a_deleted_job_is_out_of_the_way(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let first = stage.submit(late(1, 60)).await;
    stage.job_cancel(&[first], at(1)).await.must();
    stage.job_delete(&[first]).await.must();
    assert_eq!(lodge(&stage, draft(2).unique("k").at(2)).await, Lodged::New(None));
}
