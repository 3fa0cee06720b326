//! Exams of a new run.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::{Progress, Verdict};
use jobmill_model::output::{Extent, Shape};
use jobmill_model::{Job, JobId, State, Token};

use super::lease::note;
use super::stage::{Must, Stage, at, complete, draft, fail, nobody, object_chunk, retry, there};
use crate::{Appended, Claimed, Retried, Store};

/// Opens a new run at second 20.
async fn reopen(stage: &Stage, id: JobId) -> Retried {
    stage.job_retry(&[id], at(20)).await.must()[0]
}

/// A job as its submission at second 0 left it, but in its second run since second 20.
fn reopened(before: &Job) -> Job {
    Job {
        state: State::Submitted,
        attempt: 0,
        crashes: 0,
        run: before.run + 1,
        progress: Progress::default(),
        run_at: at(20),
        started_at: None,
        finished_at: None,
        error: None,
        waiting_for: None,
        ..before.clone()
    }
}

pub async fn a_failed_job_gets_a_new_run(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    assert_eq!(stage.job_progress(&[note(&lease, 3, "far")]).await.must(), [true]);
    stage.settle(&lease, fail(), 1).await;
    let before = stage.job(id).await;
    assert_eq!(reopen(&stage, id).await, Retried::Done);
    assert_eq!(stage.job(id).await, reopened(&before));
    let claimed = stage.claim(21).await;
    assert_eq!((claimed.token, claimed.job.attempt, claimed.job.run), (Token(2), 1, 2));
    assert_eq!(claimed.job.started_at, Some(at(21)));
}

pub async fn a_cancelled_job_gets_a_new_run(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.parked(1).await;
    let id = lease.job.id;
    stage.job_cancel(&[id], at(1)).await.must();
    let before = stage.job(id).await;
    assert_eq!(reopen(&stage, id).await, Retried::Done);
    assert_eq!(stage.job(id).await, reopened(&before));
    stage.assert_stale(&lease).await;
    assert_eq!(stage.claim_all(21).await, [id]);
}

pub async fn no_other_job_gets_a_new_run(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let completed = stage.ended(1, complete()).await;
    let again = stage.ended(2, retry(50)).await;
    let parked = stage.parked(3).await.job.id;
    let leased = stage.start(4).await.job.id;
    let waiting = stage.submit(draft(5)).await;
    let scheduled = stage.submit(draft(6).start(50)).await;
    let ids = [completed, again, parked, leased, waiting, scheduled, nobody()];
    let before = stage.job_get(&ids).await.must();
    let refused = [
        Retried::Refused(State::Completed),
        Retried::Refused(State::Scheduled),
        Retried::Refused(State::Running),
        Retried::Refused(State::Running),
        Retried::Refused(State::Submitted),
        Retried::Refused(State::Scheduled),
        Retried::Unknown,
    ];
    assert_eq!(stage.job_retry(&ids, at(20)).await.must(), refused);
    assert_eq!(stage.job_get(&ids).await.must(), before);
}

pub async fn a_job_is_opened_once_in_a_call(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, fail()).await;
    let answers = stage.job_retry(&[id, id], at(20)).await.must();
    assert_eq!(answers, [Retried::Done, Retried::Refused(State::Submitted)]);
    assert_eq!(stage.job(id).await.run, 2);
    assert_eq!(stage.job_retry(&[], at(20)).await.must(), []);
}

pub async fn it_begins_with_an_empty_journal_and_inbox(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    assert_eq!(stage.append(&lease, &[0, 1]).await, Appended::Done);
    stage.signal(id).await;
    stage.settle(&lease, fail(), 1).await;
    reopen(&stage, id).await;
    assert_eq!((stage.journal(id).await, stage.inbox(id).await), (vec![], vec![]));
    assert_eq!(stage.signal(id).await, 2, "numbers go on");
    let lease = stage.claim(21).await;
    assert_eq!(stage.append(&lease, &[2]).await, Appended::Gap(0));
    assert_eq!(stage.append(&lease, &[0]).await, Appended::Done);
}

pub async fn it_publishes_nothing_of_the_runs_before(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    let old = vec![object_chunk(0, &["old"])];
    assert!(stage.output_append(id, lease.token, old).await.must());
    stage.settle(&lease, fail(), 1).await;
    reopen(&stage, id).await;
    let lease = stage.claim(21).await;
    let new = object_chunk(0, &["new"]);
    stage.publish(&lease, Extent { shape: Shape::Object, len: 1 }, vec![new.clone()]).await;
    assert_eq!(stage.output_read(id, 0, 1_000).await.must(), [new]);
    assert_eq!(stage.pair_page(0, 9).await.must().total, 1);
}

pub async fn failed_attempts_stay_and_new_ones_tell_their_run(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, fail()).await;
    for secs in [20, 30] {
        stage.job_retry(&[id], at(secs)).await.must();
        let lease = stage.claim(secs).await;
        stage.settle(&lease, fail(), secs).await;
    }
    let attempts = stage.attempts(id).await;
    let runs: Vec<_> = attempts.iter().map(|failed| (failed.run, failed.attempt)).collect();
    assert_eq!(runs, [(1, 1), (2, 1), (3, 1)]);
}

pub async fn it_is_ranked_by_the_time_of_its_opening(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, fail()).await;
    stage.submit(draft(2).at(10)).await;
    stage.submit(draft(3).at(30)).await;
    reopen(&stage, id).await;
    let order = stage.claim_all(40).await;
    assert_eq!(order, [draft(2).at(10).id(), id, draft(3).at(30).id()]);
}

pub async fn lost_workers_are_counted_anew(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let Claimed { job, .. } = stage.start(1).await;
    assert_eq!(stage.job_reclaim(there(), 0, at(1)).await.must().failed, [job.id]);
    assert_eq!(stage.job(job.id).await.crashes, 1);
    assert_eq!(reopen(&stage, job.id).await, Retried::Done);
    assert_eq!(stage.claim(21).await.job.crashes, 0);
    assert_eq!(stage.job_reclaim(there(), 1, at(22)).await.must().returned, 1);
}

pub async fn a_run_of_a_stopped_job_can_end_well(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.ended(1, Verdict::Cancel).await;
    reopen(&stage, id).await;
    let lease = stage.claim(21).await;
    stage.settle(&lease, complete(), 22).await;
    let job = stage.job(id).await;
    assert_eq!((job.state, job.run, job.finished_at), (State::Completed, 2, Some(at(22))));
}
