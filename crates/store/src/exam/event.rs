//! Exams of telling: what has changed, and where a job stands.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::State;
use jobmill_model::job::{Children, Place};

use super::stage::{Must, Stage, at, complete, draft, everything, fail, nobody, retry};
use crate::{Change, JobQuery, Store};

const fn state(state: State) -> Change {
    Change::State(state)
}

pub async fn changes_are_told_in_the_order_of_their_commits(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let feed = stage.events();
    let lease = stage.start(1).await;
    let id = lease.job.id;
    stage.job_progress(&[super::lease::note(&lease, 1, "half")]).await.must();
    stage.settle(&lease, retry(20), 1).await;
    stage.job_promote(at(20), 9).await.must();
    let lease = stage.claim(20).await;
    stage.settle(&lease, complete(), 21).await;
    stage.job_delete(&[id]).await.must();
    let (told, last) = feed.after(0, 100).expect("all of it is kept");
    let expected = [
        state(State::Submitted),
        state(State::Running),
        Change::Progress,
        state(State::Scheduled),
        state(State::Submitted),
        state(State::Running),
        state(State::Completed),
        Change::Deleted,
    ];
    assert_eq!(told, expected.map(|change| (id, change)));
    assert_eq!((last, feed.newest()), (8, 8));
}

pub async fn everything_that_goes_with_a_job_is_told(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parent = stage.parked(1).await.job.id;
    let child = stage.submit(draft(2).parent(parent)).await;
    let before = stage.events().newest();
    stage.job_cancel(&[parent], at(3)).await.must();
    let (mut told, _) = stage.events().after(before, 100).expect("all of it is kept");
    told.sort_unstable_by_key(|(id, _)| *id);
    assert_eq!(told, [parent, child].map(|id| (id, state(State::Cancelled))));
    let before = stage.events().newest();
    stage.job_retry(&[child], at(4)).await.must();
    let told = stage.events().after(before, 100).expect("all of it is kept").0;
    assert_eq!(told, [(child, state(State::Submitted))]);
}

pub async fn what_is_refused_is_not_told(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let id = lease.job.id;
    stage.settle(&lease, fail(), 1).await;
    let before = stage.events().newest();
    stage.settle(&lease, complete(), 2).await;
    stage.job_cancel(&[id, nobody()], at(3)).await.must();
    stage.job_progress(&[super::lease::note(&lease, 1, "late")]).await.must();
    stage.job_get(&[id]).await.must();
    assert_eq!(stage.events().newest(), before);
}

pub async fn what_was_active_of_late_is_listed(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let early = stage.ended(1, complete()).await;
    let lease = stage.start(2).await;
    stage.settle(&lease, fail(), 30).await;
    let waiting = stage.submit(draft(3)).await;
    let since = |secs| JobQuery { active_since: Some(at(secs)), ..everything() };
    assert_eq!(stage.list(&since(1)).await, [waiting, lease.job.id, early]);
    assert_eq!(stage.list(&since(30)).await, [waiting, lease.job.id]);
    assert_eq!(stage.list(&since(31)).await, [waiting]);
}

pub async fn a_job_is_found_where_it_stands(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let place = async |id| stage.job_situation(id).await.must().expect("it is stored").place;
    assert_eq!(stage.job_situation(nobody()).await.must(), None);
    let parked = stage.start(1).await;
    stage.park(&parked, Some(50), 0).await;
    assert_eq!(place(parked.job.id).await, Place::Waiting { until: Some(at(50)) });
    let leased = stage.start(2).await.job.id;
    assert_eq!(place(leased).await, Place::Leased);
    let first = stage.submit(draft(3)).await;
    let child = stage.submit(draft(4).parent(leased)).await;
    stage.submit(draft(5).flow("g")).await;
    let of_key = stage.submit(draft(8).queue("mail").key("ann")).await;
    let held = stage.submit(draft(9).queue("mail").key("ann")).await;
    let later = stage.submit(draft(6).start(70).parent(leased)).await;
    assert_eq!(place(first).await, Place::Ready { ahead: 0 });
    assert_eq!(place(child).await, Place::Ready { ahead: 1 });
    assert_eq!(place(of_key).await, Place::Ready { ahead: 0 }, "in its queue");
    assert_eq!(place(held).await, Place::Held { taken: 1 });
    assert_eq!(place(later).await, Place::Waiting { until: Some(at(70)) });
    stage.job_cancel(&[child], at(2)).await.must();
    assert_eq!(place(child).await, Place::Ended);
    let situation = stage.job_situation(leased).await.must().expect("it is stored");
    assert_eq!(situation.children, Children { total: 2, cancelled: 1, ..Children::default() });
    assert_eq!(situation.job, stage.job(leased).await);
}
