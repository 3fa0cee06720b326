//! Exams of kept totals. That they agree with the listing is looked at after every exam.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_model::State;
use jobmill_model::job::Verdict;

use super::stage::{
    Must, Stage, at, complete, draft, drafts, everything, fail, offer, retry, submission, there,
};
use crate::{JobQuery, Store, Submission, Tally};

/// The totals of the six states in their order.
async fn totals(stage: &Stage) -> [u64; 6] {
    let Tally(tally) = stage.tally_read().await.must();
    assert_eq!(tally.len(), 6, "every state has an entry");
    State::ALL.map(|state| tally[&state])
}

/// What the totals must be: counted over the listing of all jobs.
pub(super) async fn counted(store: &dyn Store) -> Tally {
    let mut tally: BTreeMap<_, _> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    let mut query = everything();
    loop {
        let page = store.job_list(&query).await.must();
        for job in &page.jobs {
            *tally.get_mut(&job.state).expect("every state has an entry") += 1;
        }
        match page.next {
            None => return Tally(tally),
            before => query = JobQuery { before, ..query },
        }
    }
}

pub async fn a_new_store_counts_nothing(store: Arc<dyn Store>) {
    assert_eq!(totals(&Stage::new(store)).await, [0; 6]);
}

pub async fn every_step_of_a_life_is_counted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1).start(1)).await;
    assert_eq!(totals(&stage).await, [1, 0, 0, 0, 0, 0], "scheduled");
    stage.job_promote(at(1), 9).await.must();
    assert_eq!(totals(&stage).await, [0, 1, 0, 0, 0, 0], "submitted");
    let lease = stage.claim(1).await;
    assert_eq!(totals(&stage).await, [0, 0, 1, 0, 0, 0], "running");
    stage.release(&lease).await;
    assert_eq!(totals(&stage).await, [0, 1, 0, 0, 0, 0], "handed back");
    let lease = stage.claim(1).await;
    stage.park(&lease, Some(2), 0).await;
    assert_eq!(totals(&stage).await, [0, 0, 1, 0, 0, 0], "parked");
    stage.job_promote(at(2), 9).await.must();
    assert_eq!(totals(&stage).await, [0, 0, 1, 0, 0, 0], "woken");
    stage.claim(2).await;
    stage.job_reclaim(there(), 9, at(2)).await.must();
    assert_eq!(totals(&stage).await, [0, 1, 0, 0, 0, 0], "reclaimed");
    let lease = stage.claim(2).await;
    stage.settle(&lease, retry(3), 2).await;
    assert_eq!(totals(&stage).await, [1, 0, 0, 0, 0, 0], "tried again");
    stage.job_cancel(&[id], at(3)).await.must();
    assert_eq!(totals(&stage).await, [0, 0, 0, 0, 0, 1], "cancelled");
    stage.job_retry(&[id], at(4)).await.must();
    assert_eq!(totals(&stage).await, [0, 1, 0, 0, 0, 0], "reopened");
    stage.claim(4).await;
    stage.job_reclaim(there(), 0, at(5)).await.must();
    assert_eq!(totals(&stage).await, [0, 0, 0, 0, 1, 0], "lost too many workers");
}

pub async fn every_end_is_counted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.ended(1, complete()).await;
    stage.ended(2, fail()).await;
    stage.ended(3, Verdict::Cancel).await;
    stage.ended(4, retry(9)).await;
    assert_eq!(totals(&stage).await, [1, 0, 0, 1, 1, 1]);
}

pub async fn handed_over_jobs_are_counted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = [drafts([1, 2, 3]), vec![draft(4).start(9)]].concat();
    stage.insert(Submission { offer: offer(2), ..submission(jobs) }).await;
    assert_eq!(totals(&stage).await, [1, 1, 2, 0, 0, 0]);
}

pub async fn children_that_go_with_their_parent_are_counted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.parked(1).await.job.id;
    for number in 2..=4 {
        stage.submit(draft(number).parent(parent)).await;
    }
    assert_eq!(totals(&stage).await, [0, 3, 1, 0, 0, 0]);
    stage.job_cancel(&[parent], at(1)).await.must();
    assert_eq!(totals(&stage).await, [0, 0, 0, 0, 0, 4]);
}

pub async fn what_is_refused_is_not_counted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let done = stage.start(1).await;
    stage.settle(&done, complete(), 1).await;
    stage.assert_stale(&done).await;
    stage.job_cancel(&[done.job.id], at(2)).await.must();
    stage.job_retry(&[done.job.id], at(2)).await.must();
    assert_eq!(totals(&stage).await, [0, 0, 0, 1, 0, 0]);
}
