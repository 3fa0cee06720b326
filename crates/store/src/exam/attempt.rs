//! Exams of failed attempts.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::JobId;
use jobmill_model::fault::Fault;
use jobmill_model::job::Verdict;

use super::stage::{Must, Stage, at, complete, draft, every_attempt, nobody};
use crate::{AttemptQuery, Store};

/// A job whose attempts failed at seconds 10, 20 … with these codes.
async fn failing(stage: &Stage, codes: &[&'static str]) -> JobId {
    let id = stage.submit(draft(1)).await;
    for (code, round) in codes.iter().zip(1..) {
        let lease = stage.claim(round * 10).await;
        let fault = Fault::retry(*code, format!("round {round}")).at("op f");
        let verdict = Verdict::Retry { fault, run_at: at(round * 10) };
        stage.settle(&lease, verdict, round * 10).await;
        stage.job_promote(at(round * 10), 9).await.must();
    }
    id
}

async fn rounds(stage: &Stage, query: AttemptQuery) -> Vec<u32> {
    let attempts = stage.attempt_list(&query).await.must();
    attempts.iter().map(|failed| failed.attempt).collect()
}

pub async fn failed_attempts_are_listed_oldest_first(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = failing(&stage, &["A", "B", "A"]).await;
    let attempts = stage.attempts(id).await;
    let got: Vec<_> = attempts
        .iter()
        .map(|failed| (failed.run, failed.attempt, failed.code.as_str(), failed.at))
        .collect();
    assert_eq!(got, [(1, 1, "A", at(10)), (1, 2, "B", at(20)), (1, 3, "A", at(30))]);
    assert_eq!((attempts[1].message.as_str(), attempts[1].trace.as_str()), ("round 2", "at op f"));
}

pub async fn failed_attempts_are_filtered(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = failing(&stage, &["A", "B", "A", "a"]).await;
    let all = || every_attempt(id);
    let code = |code: &str| AttemptQuery { code: Some(code.to_owned()), ..all() };
    assert_eq!(rounds(&stage, code("A")).await, [1, 3]);
    assert_eq!(rounds(&stage, code("C")).await, [] as [u32; 0]);
    let since = AttemptQuery { since: Some(at(20)), ..all() };
    assert_eq!(rounds(&stage, since.clone()).await, [2, 3, 4]);
    let until = AttemptQuery { until: Some(at(20)), ..all() };
    assert_eq!(rounds(&stage, until).await, [1]);
    let every = AttemptQuery { until: Some(at(40)), ..since };
    assert_eq!(rounds(&stage, AttemptQuery { code: Some("A".into()), ..every }).await, [3]);
}

pub async fn failed_attempts_are_read_in_pages(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = failing(&stage, &["A", "B", "A", "A"]).await;
    let page = |skip, limit| AttemptQuery { skip, limit, ..every_attempt(id) };
    assert_eq!(rounds(&stage, page(1, 2)).await, [2, 3]);
    assert_eq!(rounds(&stage, page(3, 2)).await, [4]);
    assert_eq!(rounds(&stage, page(4, 2)).await, [] as [u32; 0]);
    assert_eq!(rounds(&stage, page(0, 0)).await, [] as [u32; 0]);
    let of_code = AttemptQuery { code: Some("A".into()), ..page(1, 1) };
    assert_eq!(rounds(&stage, of_code).await, [3], "filtered first, then passed over");
}

pub async fn jobs_have_failed_attempts_of_their_own(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = failing(&stage, &["A"]).await;
    stage.claim(20).await;
    let done = stage.ended(2, complete()).await;
    assert_eq!(stage.attempts(id).await.len(), 1);
    assert_eq!(stage.attempts(done).await, []);
    assert_eq!(stage.attempts(nobody()).await, []);
}
