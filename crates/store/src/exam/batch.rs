//! Exams of jobs that begin when their children have ended.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::State;
use jobmill_model::job::{Children, Place};

use super::stage::{
    Draft, Must, Stage, at, call, complete, draft, everything, fail, offer, retry, submission,
    there,
};
use crate::{Call, JobQuery, Store, Submission};

/// A job that gathers, in a queue of its own.
fn gatherer(number: u32) -> Draft {
    draft(number).queue("after").with(|spec| spec.gathers = true)
}

/// Submits job 100, which gathers, with so many children from 1 on.
async fn batch(stage: &Stage, children: u32) {
    let parent = gatherer(100);
    let children = (1..=children).map(|number| draft(number).parent(parent.id()));
    let jobs = std::iter::once(parent.clone()).chain(children).collect();
    let lodged = stage.insert(Submission { offer: offer(1), ..submission(jobs) }).await;
    assert_eq!(lodged[0], None, "it is not handed over");
}

pub async fn a_job_that_gathers_begins_when_the_last_child_has_ended(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    batch(&stage, 3).await;
    let parent = gatherer(100).id();
    assert_eq!(stage.state(parent).await, State::Scheduled);
    assert_eq!(stage.job_promote(at(99), 9).await.must().count, 0, "no time brings it forward");
    stage.job_reclaim(there(), 9, at(0)).await.must();
    let leases = stage.claim_some(9, 1).await;
    assert_eq!(leases.len(), 3);
    stage.settle(&leases[0], complete(), 2).await;
    stage.settle(&leases[1], fail(), 3).await;
    stage.settle(&leases[2], retry(50), 4).await;
    let situation = stage.job_situation(parent).await.must().expect("it is stored");
    assert_eq!(situation.place, Place::Waiting { until: None });
    let children = Children { total: 3, completed: 1, failed: 1, cancelled: 0 };
    assert_eq!(situation.children, children);
    stage.job_cancel(&[leases[2].job.id], at(5)).await.must();
    let job = stage.job(parent).await;
    assert_eq!((job.state, job.run_at), (State::Submitted, at(5)));
    assert_eq!(stage.claim_all(6).await, [parent]);
}

pub async fn a_job_that_gathers_begins_once(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    batch(&stage, 1).await;
    let lease = stage.claim_some(9, 0).await.pop();
    let child = lease.map_or(draft(1).id(), |lease| lease.job.id);
    stage.job_cancel(&[child], at(1)).await.must();
    let lease = stage.claim(2).await;
    stage.settle(&lease, complete(), 3).await;
    stage.job_retry(&[child], at(4)).await.must();
    let lease = stage.claim(4).await;
    assert_eq!(lease.job.id, child);
    stage.settle(&lease, complete(), 5).await;
    assert_eq!(stage.state(gatherer(100).id()).await, State::Completed);
    assert_eq!(stage.claim_all(6).await, []);
}

pub async fn a_child_that_is_lost_for_good_has_ended_too(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = gatherer(100);
    let children = [draft(1).parent(parent.id()), draft(2).parent(parent.id())];
    let jobs = std::iter::once(parent.clone()).chain(children).collect();
    stage.insert(submission(jobs)).await;
    assert_eq!(stage.claim(0).await.job.id, draft(1).id());
    stage.job_reclaim(there(), 0, at(1)).await.must();
    let lent = stage.job_lease(Call { max: 9, ..call(1) }).await.must();
    assert_eq!(lent.len(), 1);
    stage.lease_expire(at(11), 0, 0.0, 9).await.must();
    assert_eq!(stage.claim_all(12).await, [parent.id()]);
}

pub async fn a_cancelled_job_that_gathers_takes_its_children_along(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    batch(&stage, 2).await;
    let parent = gatherer(100).id();
    stage.job_cancel(&[parent], at(1)).await.must();
    for id in [parent, draft(1).id(), draft(2).id()] {
        assert_eq!(stage.state(id).await, State::Cancelled);
    }
    assert_eq!(stage.claim_all(2).await, []);
}

pub async fn the_children_of_a_job_are_listed(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    batch(&stage, 3).await;
    stage.submit(draft(9)).await;
    let parent = Some(gatherer(100).id());
    let of_parent = JobQuery { parent, ..everything() };
    assert_eq!(stage.list(&of_parent).await, [3, 2, 1].map(|number| draft(number).id()));
    stage.job_cancel(&[draft(2).id()], at(1)).await.must();
    let cancelled = JobQuery { states: vec![State::Cancelled], ..of_parent };
    assert_eq!(stage.list(&cancelled).await, [draft(2).id()]);
}
