//! Exams of settling: the end of an attempt is recorded once.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::fault::Fault;
use jobmill_model::job::{FailedAttempt, Failure, Verdict};
use jobmill_model::limits::{MESSAGE_BYTES, TRACE_BYTES};
use jobmill_model::{Job, State, Token};

use super::stage::{Must, Stage, at, complete, draft, fail, json, name, nobody, retry, there};
use crate::{Appended, Claimed, Settle, Settled, Signalled, Store};

const COMPLETED: Settled = Settled::Done(State::Completed);

fn failure(code: &str, message: &str) -> Option<Failure> {
    Some(Failure { code: code.to_owned(), message: message.to_owned() })
}

pub async fn a_completed_job_has_ended_well(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert_eq!(stage.settle(&lease, complete(), 7).await, COMPLETED);
    let after = Job { state: State::Completed, finished_at: Some(at(7)), ..lease.job.clone() };
    assert_eq!(stage.job(lease.job.id).await, after);
}

pub async fn a_completed_job_never_moves_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    stage.settle(&lease, complete(), 7).await;
    let before = stage.job(id).await;
    stage.assert_stale(&lease).await;
    stage.job_cancel(&[id], at(8)).await.must();
    stage.job_retry(&[id], at(8)).await.must();
    stage.job_reclaim(there(), 0, at(8)).await.must();
    stage.job_promote(at(8), 9).await.must();
    let signalled = stage.job_signal(id, &name("go"), &json("1")).await.must();
    assert_eq!(signalled, Signalled::Ended(State::Completed));
    assert_eq!(stage.claim_all(9).await, []);
    assert_eq!(stage.job(id).await, before);
}

pub async fn a_failed_job_tells_why(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert_eq!(stage.settle(&lease, fail(), 7).await, Settled::Done(State::Failed));
    let job = stage.job(lease.job.id).await;
    assert_eq!((job.state, job.finished_at), (State::Failed, Some(at(7))));
    assert_eq!(job.error, failure("Broken", "it never works"));
    let kept = FailedAttempt {
        run: 1,
        attempt: 1,
        code: "Broken".to_owned(),
        message: "it never works".to_owned(),
        trace: "at op f".to_owned(),
        at: at(7),
    };
    assert_eq!(stage.attempts(job.id).await, [kept]);
    stage.assert_stale(&lease).await;
}

pub async fn a_job_that_tries_again_waits_for_its_time(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    assert_eq!(stage.settle(&lease, retry(30), 7).await, Settled::Done(State::Scheduled));
    let job = stage.job(id).await;
    let expected = Job {
        state: State::Scheduled,
        run_at: at(30),
        error: failure("Busy", "it may work later"),
        ..lease.job.clone()
    };
    assert_eq!(job, expected);
    assert_eq!(stage.attempts(id).await[0].at, at(7));
    stage.assert_stale(&lease).await;
    assert_eq!(stage.claim_all(40).await, []);
    stage.job_promote(at(30), 9).await.must();
    let again = stage.claim(41).await;
    assert_eq!((again.token, again.job.attempt, again.job.run), (Token(2), 2, 1));
    assert_eq!(again.job.started_at, Some(at(0)));
    assert_eq!(again.job.error, expected.error, "the failure is remembered while it tries");
}

pub async fn a_time_in_the_past_still_needs_a_promotion(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, retry(-5)).await;
    assert_eq!(stage.state(id).await, State::Scheduled);
    assert_eq!(stage.claim_all(9).await, []);
    assert_eq!(stage.job_promote(at(1), 9).await.must().count, 1);
    assert_eq!(stage.state(id).await, State::Submitted);
}

pub async fn a_new_attempt_is_ranked_by_its_time(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, retry(30)).await;
    let before = stage.submit(draft(2).at(20)).await;
    let after = stage.submit(draft(3).at(40)).await;
    stage.job_promote(at(50), 9).await.must();
    assert_eq!(stage.claim_all(50).await, [before, id, after]);
}

pub async fn a_job_that_ends_well_after_all_has_no_error(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, retry(1)).await;
    stage.job_promote(at(1), 9).await.must();
    let lease = stage.claim(1).await;
    assert_eq!(stage.settle(&lease, complete(), 2).await, COMPLETED);
    assert_eq!(stage.job(id).await.error, None);
    assert_eq!(stage.attempts(id).await.len(), 1, "the failed attempt is kept");
}

pub async fn a_stopped_attempt_is_a_cancellation(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    let child = stage.submit(draft(2).parent(id)).await;
    let settled = stage.settle(&lease, Verdict::Cancel, 7).await;
    assert_eq!(settled, Settled::Done(State::Cancelled));
    for id in [id, child] {
        let job = stage.job(id).await;
        assert_eq!((job.state, job.finished_at), (State::Cancelled, Some(at(7))));
        assert_eq!((job.error, stage.attempts(id).await), (None, vec![]));
    }
    stage.job_retry(&[id], at(8)).await.must();
    assert_eq!(stage.claim(9).await.token, Token(3), "the token was raised");
}

pub async fn an_attempt_is_settled_once(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, first) in (1..).zip([complete(), fail(), retry(50), Verdict::Cancel]) {
        let lease = stage.start(number).await;
        assert!(matches!(stage.settle(&lease, first, 1).await, Settled::Done(_)));
        stage.assert_stale(&lease).await;
    }
}

pub async fn a_late_attempt_does_not_overwrite_a_newer_one(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let late = stage.start(1).await;
    stage.job_reclaim(there(), 9, at(1)).await.must();
    stage.assert_stale(&late).await;
    let newer = stage.claim(2).await;
    stage.assert_stale(&late).await;
    assert_eq!(stage.settle(&newer, complete(), 3).await, COMPLETED);
    stage.assert_stale(&late).await;
}

pub async fn attempts_are_settled_each_for_itself(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let leases = [stage.start(1).await, stage.start(2).await, stage.start(3).await];
    let settle = |lease: &Claimed, verdict| {
        let (id, token, now) = (lease.job.id, lease.token, at(5));
        Settle { id, token, verdict, chunks: Vec::new(), progress: None, now }
    };
    let forged = Claimed { token: Token(9), ..leases[1].clone() };
    let unknown = Claimed { job: Job { id: nobody(), ..forged.job.clone() }, token: Token(1) };
    let settles = vec![
        settle(&leases[2], retry(9)),
        settle(&forged, complete()),
        settle(&leases[0], complete()),
        settle(&leases[0], fail()),
        settle(&unknown, complete()),
        settle(&leases[1], fail()),
    ];
    let expected = [
        Settled::Done(State::Scheduled),
        Settled::Stale,
        COMPLETED,
        Settled::Stale,
        Settled::Stale,
        Settled::Done(State::Failed),
    ];
    assert_eq!(stage.job_settle(settles).await.must(), expected);
    assert_eq!(stage.job_settle(vec![]).await.must(), []);
}

pub async fn a_parent_settled_first_stops_its_child(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.start(1).await;
    stage.submit(draft(2).parent(parent.job.id)).await;
    let child = stage.claim(1).await;
    let settle = |lease: &Claimed, verdict| {
        let (id, token, now) = (lease.job.id, lease.token, at(5));
        Settle { id, token, verdict, chunks: Vec::new(), progress: None, now }
    };
    let settles = vec![settle(&parent, Verdict::Cancel), settle(&child, complete())];
    let expected = [Settled::Done(State::Cancelled), Settled::Stale];
    assert_eq!(stage.job_settle(settles).await.must(), expected);
    assert_eq!(stage.state(child.job.id).await, State::Cancelled);
}

pub async fn an_ended_run_keeps_its_journal_and_leaves_no_inbox(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, verdict) in (1..).zip([complete(), fail(), Verdict::Cancel]) {
        let lease = stage.start(number).await;
        let id = lease.job.id;
        assert_eq!(stage.append(&lease, &[0, 1]).await, Appended::Done);
        stage.signal(id).await;
        stage.settle(&lease, verdict, 1).await;
        assert_eq!((stage.journal(id).await.len(), stage.inbox(id).await), (2, vec![]));
    }
}

pub async fn the_next_attempt_finds_the_journal_and_the_inbox(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    assert_eq!(stage.append(&lease, &[0, 1]).await, Appended::Done);
    stage.signal(id).await;
    stage.settle(&lease, retry(1), 1).await;
    assert_eq!((stage.journal(id).await.len(), stage.inbox(id).await), (2, vec![1]));
    stage.job_promote(at(1), 9).await.must();
    let lease = stage.claim(2).await;
    assert_eq!(stage.append(&lease, &[2]).await, Appended::Done);
}

pub async fn long_texts_of_a_fault_are_cut_between_characters(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let text = |bytes| format!("x{}", "é".repeat(bytes));
    let fault = Fault { trace: text(TRACE_BYTES), ..Fault::last("Long", text(MESSAGE_BYTES)) };
    let id = stage.ended(1, Verdict::Fail(fault)).await;
    let kept = stage.attempts(id).await.remove(0);
    assert_eq!(kept.message, &text(MESSAGE_BYTES)[..MESSAGE_BYTES - 1]);
    assert_eq!(kept.trace, &text(TRACE_BYTES)[..TRACE_BYTES - 1]);
    assert_eq!(stage.job(id).await.error.map(|error| error.message), Some(kept.message));
}
