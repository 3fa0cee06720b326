//! Exams of the completion webhook: an end and the job that tells of it are one step.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::Verdict;
use jobmill_model::webhook::{FLOW, QUEUE, tag};
use jobmill_model::{Job, JobId, State};

use super::stage::{
    Draft, Must, Stage, at, complete, draft, everything, fail, names, nobody, retry, there,
};
use crate::{Claim, Claimed, JobQuery, Settled, Store};

const URL: &str = "https://example.org/told";

/// A job whose end somebody wants to be told of.
fn told(number: u32) -> Draft {
    draft(number).with(|spec| spec.webhook = Some(URL.to_owned()))
}

async fn start(stage: &Stage, number: u32) -> Claimed {
    stage.submit(told(number)).await;
    stage.claim(0).await
}

/// The jobs that tell of a job's ends, newest first.
async fn deliveries(stage: &Stage, id: JobId) -> Vec<Job> {
    let query = JobQuery { tag: Some(tag(id)), ..everything() };
    stage.job_list(&query).await.must().jobs
}

/// The words in which the one end of a job is told.
async fn type_told(stage: &Stage, id: JobId) -> String {
    let found = deliveries(stage, id).await;
    assert_eq!(found.len(), 1, "one end, one delivery");
    let input = found[0].input.to_value().expect("an input is JSON");
    let map = input.as_map().expect("an object").clone();
    assert_eq!(map.get("url"), Some(&URL.into()));
    let event = map.get("event").and_then(|event| event.as_map()).expect("an event").clone();
    let data = event.get("data").and_then(|data| data.as_map()).expect("an event has data").clone();
    assert_eq!(data.get("id"), Some(&id.to_string().into()));
    event.get("type").and_then(|text| text.as_str()).expect("a type").to_owned()
}

pub async fn each_way_to_end_is_told(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, verdict, word) in [
        (1, complete(), "job.completed"),
        (2, fail(), "job.failed"),
        (3, Verdict::Cancel, "job.cancelled"),
    ] {
        let lease = start(&stage, number).await;
        assert!(matches!(stage.settle(&lease, verdict, 1).await, Settled::Done(_)));
        assert_eq!(type_told(&stage, lease.job.id).await, word);
    }
    let waiting = stage.submit(told(4)).await;
    stage.job_cancel(&[waiting], at(2)).await.must();
    assert_eq!(type_told(&stage, waiting).await, "job.cancelled");
    let lost = start(&stage, 5).await;
    stage.job_reclaim(there(), 0, at(3)).await.must();
    assert_eq!(stage.state(lost.job.id).await, State::Failed);
    assert_eq!(type_told(&stage, lost.job.id).await, "job.failed");
    stage.submit(told(6)).await;
    let silent = stage.lend(4).await;
    stage.lease_expire(at(100), 0, 0.0, 9).await.must();
    assert_eq!(type_told(&stage, silent.job.id).await, "job.failed");
}

pub async fn a_delivery_is_a_job_that_can_be_claimed(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = start(&stage, 1).await;
    stage.settle(&lease, fail(), 1).await;
    let found = deliveries(&stage, lease.job.id).await;
    let job = &found[0];
    assert_eq!((job.spec.flow.as_str(), job.spec.queue.as_str()), (FLOW, QUEUE));
    assert_eq!((job.state, job.created_at), (State::Submitted, at(1)));
    assert!(job.input.as_str().contains("it never works"), "{}", job.input.as_str());
    let claim = Claim { instance: super::stage::here(), flows: names(&[FLOW]), max: 9, now: at(2) };
    let claimed = stage.job_claim(claim).await.must();
    assert_eq!(claimed.iter().map(|it| it.job.id).collect::<Vec<_>>(), [job.id]);
    stage.settle(&claimed[0], complete(), 3).await;
    assert_eq!(stage.job_list(&everything()).await.must().jobs.len(), 2, "nothing tells of it");
}

pub async fn only_an_end_is_told(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = start(&stage, 1).await;
    let id = lease.job.id;
    stage.settle(&lease, retry(10), 1).await;
    stage.job_promote(at(10), 9).await.must();
    let second = stage.claim(10).await;
    stage.release(&second).await;
    let third = stage.claim(11).await;
    assert_eq!(deliveries(&stage, id).await, []);
    assert_eq!(stage.settle(&lease, complete(), 12).await, Settled::Stale);
    assert_eq!(deliveries(&stage, id).await, [], "a late attempt tells nothing");
    stage.settle(&third, complete(), 13).await;
    assert_eq!(stage.settle(&third, complete(), 14).await, Settled::Stale);
    stage.job_cancel(&[id, nobody()], at(15)).await.must();
    assert_eq!(deliveries(&stage, id).await.len(), 1, "an end is told once");
    let quiet = stage.ended(2, fail()).await;
    assert_eq!(deliveries(&stage, quiet).await, []);
}

pub async fn each_run_is_told_of(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = start(&stage, 1).await;
    let id = lease.job.id;
    stage.settle(&lease, fail(), 1).await;
    stage.job_retry(&[id], at(2)).await.must();
    let again = stage.claim(2).await;
    stage.settle(&again, complete(), 3).await;
    let inputs: Vec<_> = deliveries(&stage, id).await.into_iter().map(|job| job.input).collect();
    assert_eq!(inputs.len(), 2);
    assert!(inputs[0].as_str().contains("job.completed"));
    assert!(inputs[1].as_str().contains("job.failed"));
}

pub async fn jobs_that_go_with_their_parent_are_told_of_too(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = start(&stage, 1).await;
    let child = stage.submit(told(2).parent(parent.job.id)).await;
    stage.job_cancel(&[parent.job.id], at(1)).await.must();
    assert_eq!(type_told(&stage, parent.job.id).await, "job.cancelled");
    assert_eq!(type_told(&stage, child).await, "job.cancelled");
}
