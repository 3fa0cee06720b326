//! Exams of retention: the oldest ended jobs are found, page by page.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::{JobId, State, Timestamp};

use super::stage::{Must, Stage, at, complete, draft, fail};
use crate::{OldestQuery, Store};

fn query(state: State, before: i64) -> OldestQuery {
    OldestQuery { state, before: at(before), after: None, limit: 1_000 }
}

/// The jobs of all pages.
async fn oldest(stage: &Stage, mut query: OldestQuery) -> Vec<JobId> {
    let mut ids = Vec::new();
    loop {
        let page = stage.job_oldest(&query).await.must();
        assert!(page.ids.len() <= query.limit, "no more than asked");
        ids.extend(page.ids);
        match page.next {
            None => return ids,
            after => query.after = after,
        }
    }
}

/// A job of number `n`, submitted at this second and completed ten later.
async fn completed(stage: &Stage, number: u32, secs: i64) -> JobId {
    let id = stage.submit(draft(number).at(secs)).await;
    let lease = stage.claim(secs).await;
    stage.settle(&lease, complete(), secs + 10).await;
    id
}

pub async fn the_first_submitted_of_a_state_come_first(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(oldest(&stage, query(State::Completed, 1_000)).await, []);
    let failed = stage.ended(1, fail()).await;
    let first = completed(&stage, 2, 20).await;
    let cancelled = stage.submit(draft(3).at(30)).await;
    stage.job_cancel(&[cancelled], at(31)).await.must();
    let second = completed(&stage, 4, 40).await;
    stage.submit(draft(5).at(50)).await;
    let all = OldestQuery { before: Timestamp::MAX, ..query(State::Completed, 0) };
    assert_eq!(oldest(&stage, all).await, [first, second]);
    assert_eq!(oldest(&stage, query(State::Failed, 1_000)).await, [failed]);
    assert_eq!(oldest(&stage, query(State::Cancelled, 1_000)).await, [cancelled]);
    for unfinished in [State::Scheduled, State::Submitted, State::Running] {
        assert_eq!(oldest(&stage, query(unfinished, 1_000)).await, []);
    }
}

pub async fn a_job_is_as_old_as_its_end(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let long = stage.submit(draft(1)).await;
    let lease = stage.claim(0).await;
    let short = completed(&stage, 2, 10).await;
    stage.settle(&lease, complete(), 90).await;
    assert_eq!(oldest(&stage, query(State::Completed, 20)).await, [], "its end is not before 20");
    assert_eq!(oldest(&stage, query(State::Completed, 21)).await, [short]);
    assert_eq!(oldest(&stage, query(State::Completed, 91)).await, [long, short]);
}

pub async fn the_oldest_are_read_in_pages(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut ids = Vec::new();
    for number in 1..=7 {
        ids.push(completed(&stage, number, i64::from(number) * 20).await);
    }
    for limit in [1, 2, 3, 7, 8] {
        let paged = OldestQuery { limit, ..query(State::Completed, 1_000) };
        assert_eq!(oldest(&stage, paged).await, ids, "{limit}");
    }
    let after = OldestQuery { after: Some(ids[4]), ..query(State::Completed, 1_000) };
    assert_eq!(oldest(&stage, after).await, ids[5..]);
    stage.job_delete(&ids[..2]).await.must();
    assert_eq!(oldest(&stage, query(State::Completed, 1_000)).await, ids[2..]);
}
