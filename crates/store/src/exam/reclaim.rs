//! Exams of reclaiming: what dead processes held goes on elsewhere.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{Job, State, Token};

use super::stage::{Must, Stage, at, claim, complete, draft, here, retry, there};
use crate::{Appended, Claim, Reclaimed, Store};

pub async fn the_jobs_of_dead_processes_are_claimable_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lost = stage.start(1).await;
    let newer = stage.submit(draft(2)).await;
    let id = lost.job.id;
    assert_eq!(stage.append(&lost, &[0]).await, Appended::Done);
    stage.signal(id).await;
    let reclaimed = stage.job_reclaim(there(), 9, at(5)).await.must();
    assert_eq!(reclaimed, Reclaimed { returned: 1, failed: vec![] });
    stage.assert_stale(&lost).await;
    let after = Job { state: State::Submitted, crashes: 1, ..lost.job.clone() };
    assert_eq!(stage.job(id).await, after);
    assert_eq!(stage.attempts(id).await, [], "a crash is not a failed attempt");
    assert_eq!((stage.journal(id).await.len(), stage.inbox(id).await), (1, vec![1]));
    let again = stage.claim(6).await;
    assert_eq!((again.job.id, again.token, again.job.attempt), (id, Token(2), 1));
    assert_eq!(stage.append(&again, &[1]).await, Appended::Done);
    assert_eq!(stage.claim_all(6).await, [newer], "the lost one kept its rank");
}

pub async fn the_jobs_of_the_living_are_left_alone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.submit(draft(2)).await;
    let elsewhere = Claim { instance: there(), ..claim(0) };
    let lost = stage.job_claim(elsewhere).await.must().remove(0);
    let reclaimed = stage.job_reclaim(here(), 9, at(5)).await.must();
    assert_eq!(reclaimed, Reclaimed { returned: 1, failed: vec![] });
    assert_eq!(stage.job(lease.job.id).await, lease.job);
    assert!(stage.release(&lease).await, "the lease goes on");
    stage.assert_stale(&lost).await;
    assert_eq!(stage.job_reclaim(here(), 9, at(6)).await.must(), Reclaimed::default());
}

pub async fn jobs_without_a_lease_are_left_alone(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let ids = [
        stage.ended(1, complete()).await,
        stage.ended(2, retry(50)).await,
        stage.parked(3).await.job.id,
        stage.submit(draft(4)).await,
        stage.submit(draft(5).start(50)).await,
    ];
    let before = stage.job_get(&ids).await.must();
    assert_eq!(stage.job_reclaim(there(), 0, at(5)).await.must(), Reclaimed::default());
    assert_eq!(stage.job_get(&ids).await.must(), before);
}

pub async fn a_job_that_lost_too_many_workers_fails(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1)).await;
    for crashes in 1..=2 {
        stage.claim(crashes).await;
        let reclaimed = stage.job_reclaim(there(), 2, at(crashes)).await.must();
        assert_eq!(reclaimed, Reclaimed { returned: 1, failed: vec![] });
    }
    let last = stage.claim(3).await;
    stage.append(&last, &[0]).await;
    stage.signal(id).await;
    let reclaimed = stage.job_reclaim(there(), 2, at(4)).await.must();
    assert_eq!(reclaimed, Reclaimed { returned: 0, failed: vec![id] });
    stage.assert_stale(&last).await;
    let job = stage.job(id).await;
    assert_eq!((job.state, job.crashes, job.finished_at), (State::Failed, 3, Some(at(4))));
    let error = job.error.expect("it tells why");
    assert_eq!(error.code, "WorkerLost");
    let attempts = stage.attempts(id).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!((&attempts[0].code, attempts[0].attempt), (&error.code, 1));
    assert_eq!((stage.journal(id).await.len(), stage.inbox(id).await), (1, vec![]));
    assert_eq!(stage.claim_all(9).await, []);
}

pub async fn each_job_is_judged_by_its_own_losses(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let unlucky = stage.start(1).await.job.id;
    stage.job_reclaim(there(), 1, at(1)).await.must();
    stage.claim(2).await;
    for number in 2..=4 {
        stage.start(number).await;
    }
    let reclaimed = stage.job_reclaim(there(), 1, at(3)).await.must();
    assert_eq!(reclaimed, Reclaimed { returned: 3, failed: vec![unlucky] });
    assert_eq!(stage.claim_all(4).await, [2, 3, 4].map(|number| draft(number).id()));
}
