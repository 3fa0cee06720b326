//! Exams of hand-over: a new job may go straight to a local worker, if it passes nobody over.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{State, Token};

use super::stage::{
    Draft, Must, Stage, at, complete, draft, drafts, offer, retry, submission, there,
};
use crate::{Settled, Store, Submission};

/// Submits a job beside an offer of nine places and tells whether it was handed over.
async fn is_handed_over(stage: &Stage, draft: Draft) -> bool {
    let id = draft.id();
    let tokens = stage.insert(Submission { offer: offer(9), ..submission(vec![draft]) }).await;
    let state = if tokens[0].is_some() { State::Running } else { State::Submitted };
    assert_eq!(stage.state(id).await, state);
    tokens[0].is_some()
}

pub async fn a_free_place_takes_a_new_job_at_once(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let new = draft(1).at(4);
    let id = new.id();
    let tokens = stage.insert(Submission { offer: offer(1), ..submission(vec![new]) }).await;
    assert_eq!(tokens, [Some(Token(1))]);
    let job = stage.job(id).await;
    assert_eq!((job.state, job.attempt, job.started_at), (State::Running, 1, Some(at(4))));
    assert_eq!(stage.claim_all(5).await, [], "it is leased");
    let lease = crate::Claimed { job, token: Token(1) };
    assert_eq!(stage.settle(&lease, complete(), 5).await, Settled::Done(State::Completed));
}

pub async fn a_handed_over_job_is_lost_with_its_instance(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert!(is_handed_over(&stage, draft(1)).await);
    assert_eq!(stage.job_reclaim(there(), 9, at(1)).await.must().returned, 1);
    assert_eq!(stage.claim(2).await.token, Token(2));
}

pub async fn nothing_is_handed_over_without_a_place(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let none = Submission { offer: offer(0), ..submission(drafts([1])) };
    assert_eq!(stage.insert(none).await, [None]);
    assert_eq!(stage.claim_all(0).await, [draft(1).id()]);
    let two = Submission { offer: offer(2), ..submission(drafts([4, 3, 2])) };
    assert_eq!(stage.insert(two).await, [Some(Token(1)), Some(Token(1)), None]);
    assert_eq!(stage.claim_all(0).await, [draft(2).id()]);
}

pub async fn an_unknown_flow_is_not_handed_over_and_takes_no_place(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![draft(1).flow("g"), draft(2)];
    let tokens = stage.insert(Submission { offer: offer(1), ..submission(jobs) }).await;
    assert_eq!(tokens, [None, Some(Token(1))]);
}

pub async fn a_job_for_later_is_not_handed_over_and_takes_no_place(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![draft(1).start(9), draft(2)];
    let tokens = stage.insert(Submission { offer: offer(1), ..submission(jobs) }).await;
    assert_eq!(tokens, [None, Some(Token(1))]);
    assert_eq!(stage.state(draft(1).id()).await, State::Scheduled);
}

pub async fn jobs_of_one_submission_do_not_stand_in_each_others_way(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![draft(1).flow("g"), draft(2).priority(-9), draft(3).priority(9)];
    let tokens = stage.insert(Submission { offer: offer(2), ..submission(jobs) }).await;
    assert_eq!(tokens, [None, Some(Token(1)), Some(Token(1))]);
}

pub async fn a_claimable_job_of_the_queue_is_not_passed_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.submit(draft(1).priority(-9)).await;
    assert!(!is_handed_over(&stage, draft(2).priority(9)).await);
    assert!(is_handed_over(&stage, draft(3).queue("q")).await, "another queue is free");
    assert_eq!(stage.claim_all(0).await, [draft(2).id(), draft(1).id()]);
    assert!(is_handed_over(&stage, draft(4)).await, "the queue is free again");
}

pub async fn a_claimable_job_of_another_flow_counts_as_well(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.submit(draft(1).flow("g")).await;
    assert!(!is_handed_over(&stage, draft(2)).await);
}

pub async fn jobs_that_cannot_run_now_do_not_matter(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.ended(1, complete()).await;
    stage.ended(2, retry(50)).await;
    stage.parked(3).await;
    stage.start(4).await;
    stage.submit(draft(5).start(50)).await;
    assert!(is_handed_over(&stage, draft(6)).await);
}

pub async fn a_woken_job_is_not_passed_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parked = stage.parked(1).await.job.id;
    stage.signal(parked).await;
    assert!(!is_handed_over(&stage, draft(2)).await);
}

pub async fn a_job_that_came_due_is_not_passed_over(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.submit(draft(1).start(5)).await;
    assert!(is_handed_over(&stage, draft(2)).await, "it is not due yet");
    stage.job_promote(at(5), 9).await.must();
    assert!(!is_handed_over(&stage, draft(3).at(6)).await);
}
