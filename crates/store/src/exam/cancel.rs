//! Exams of cancelling: at once, whatever a job does, and everything below it.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{Job, JobId, State, Token};

use super::stage::{Must, Stage, at, complete, draft, fail, nobody, retry};
use crate::{Appended, Cancelled, Claimed, Signalled, Store};

/// Cancels one job at second 5.
async fn cancel(stage: &Stage, id: JobId) -> Cancelled {
    stage.job_cancel(&[id], at(5)).await.must()[0]
}

/// The job is over, and no worker and no clock brings it back.
async fn assert_over(stage: &Stage, id: JobId) -> Job {
    stage.job_promote(at(1_000), 99).await.must();
    assert_eq!(stage.claim_all(1_000).await, []);
    let job = stage.job(id).await;
    assert_eq!((job.state, job.finished_at), (State::Cancelled, Some(at(5))));
    assert_eq!(job.waiting_for, None);
    job
}

pub async fn a_waiting_job_is_cancelled(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1)).await;
    assert_eq!(cancel(&stage, id).await, Cancelled::Done(State::Submitted));
    let job = assert_over(&stage, id).await;
    assert_eq!((job.started_at, job.error), (None, None));
}

pub async fn a_scheduled_job_is_cancelled(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1).start(50)).await;
    assert_eq!(cancel(&stage, id).await, Cancelled::Done(State::Scheduled));
    assert_over(&stage, id).await;
}

pub async fn a_running_job_is_cancelled_and_its_worker_is_refused(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert_eq!(cancel(&stage, lease.job.id).await, Cancelled::Done(State::Running));
    stage.assert_stale(&lease).await;
    let next = Claimed { token: lease.token.next(), ..lease.clone() };
    stage.assert_stale(&next).await;
    let job = assert_over(&stage, lease.job.id).await;
    assert_eq!((job.started_at, job.attempt), (Some(at(0)), 1));
}

pub async fn a_parked_job_is_cancelled(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.park(&lease, Some(50), 0).await;
    assert_eq!(cancel(&stage, lease.job.id).await, Cancelled::Done(State::Running));
    assert_over(&stage, lease.job.id).await;
}

pub async fn a_woken_job_is_cancelled(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.parked(1).await.job.id;
    stage.signal(id).await;
    assert_eq!(cancel(&stage, id).await, Cancelled::Done(State::Running));
    assert_over(&stage, id).await;
}

pub async fn an_ended_job_stays_as_it_is(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, verdict, state) in [
        (1, complete(), State::Completed),
        (2, fail(), State::Failed),
        (3, jobmill_model::job::Verdict::Cancel, State::Cancelled),
    ] {
        let id = stage.ended(number, verdict).await;
        let before = stage.job(id).await;
        assert_eq!(cancel(&stage, id).await, Cancelled::Ended(state));
        assert_eq!(stage.job(id).await, before);
    }
}

pub async fn answers_come_in_the_order_of_the_ids(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let waiting = stage.submit(draft(1).start(50)).await;
    let done = stage.ended(2, complete()).await;
    let ids = [nobody(), waiting, done, waiting];
    let expected = [
        Cancelled::Unknown,
        Cancelled::Done(State::Scheduled),
        Cancelled::Ended(State::Completed),
        Cancelled::Ended(State::Cancelled),
    ];
    assert_eq!(stage.job_cancel(&ids, at(5)).await.must(), expected);
    assert_eq!(stage.job_cancel(&[], at(5)).await.must(), []);
}

pub async fn its_journal_stays_and_its_inbox_is_gone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    assert_eq!(stage.append(&lease, &[0, 1]).await, Appended::Done);
    stage.signal(id).await;
    cancel(&stage, id).await;
    assert_eq!((stage.journal(id).await.len(), stage.inbox(id).await), (2, vec![]));
    let late = stage.job_signal(id, &super::stage::name("go"), &super::stage::json("1")).await;
    assert_eq!(late.must(), Signalled::Ended(State::Cancelled));
}

pub async fn its_last_failure_stays(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, retry(50)).await;
    let error = stage.job(id).await.error;
    assert!(error.is_some());
    assert_eq!(cancel(&stage, id).await, Cancelled::Done(State::Scheduled));
    assert_eq!(stage.job(id).await.error, error);
    assert_eq!(stage.attempts(id).await.len(), 1, "a cancellation is no failed attempt");
}

pub async fn it_raises_the_token_by_one(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let waiting = stage.submit(draft(1)).await;
    let running = stage.claim(0).await.job.id;
    assert_eq!(waiting, running);
    let scheduled = stage.submit(draft(2).start(50)).await;
    stage.job_cancel(&[running, scheduled], at(5)).await.must();
    stage.job_retry(&[running, scheduled], at(6)).await.must();
    let claimed = [stage.claim(7).await, stage.claim(7).await];
    let tokens = claimed.map(|claimed| (claimed.job.id, claimed.token));
    assert_eq!(tokens, [(running, Token(3)), (scheduled, Token(2))]);
}

pub async fn the_unfinished_jobs_below_go_with_it(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.parked(1).await.job.id;
    stage.parked(2).await;
    let running = stage.submit(draft(3).parent(parent)).await;
    let lease = stage.claim(1).await;
    let waiting = stage.submit(draft(4).parent(parent)).await;
    let below = stage.submit(draft(5).parent(running).start(50)).await;
    assert_eq!(cancel(&stage, parent).await, Cancelled::Done(State::Running));
    for id in [running, waiting, below] {
        let job = stage.job(id).await;
        assert_eq!((job.state, job.finished_at), (State::Cancelled, Some(at(5))));
    }
    stage.assert_stale(&lease).await;
    assert_eq!(stage.state(draft(2).id()).await, State::Running, "it is nobody's child");
}

pub async fn a_finished_child_stays_and_so_does_what_is_below_it(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.parked(1).await.job.id;
    let child = stage.submit(draft(2).parent(parent)).await;
    let lease = stage.claim(1).await;
    stage.settle(&lease, complete(), 2).await;
    let below = stage.submit(draft(3).parent(child)).await;
    cancel(&stage, parent).await;
    assert_eq!(stage.state(child).await, State::Completed);
    assert_eq!(stage.state(below).await, State::Submitted);
    assert_eq!(cancel(&stage, child).await, Cancelled::Ended(State::Completed));
    assert_eq!(stage.state(below).await, State::Submitted);
}

pub async fn a_child_leaves_its_parent_alone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.parked(1).await.job.id;
    let child = stage.submit(draft(2).parent(parent)).await;
    let sibling = stage.submit(draft(3).parent(parent)).await;
    let cancelled = stage.job_cancel(&[child, parent, sibling], at(5)).await.must();
    let expected = [
        Cancelled::Done(State::Submitted),
        Cancelled::Done(State::Running),
        Cancelled::Ended(State::Cancelled),
    ];
    assert_eq!(cancelled, expected, "one after the other");
}
