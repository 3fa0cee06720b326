//! Exams of promotion: jobs become claimable when their time has come.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::State;

use super::stage::{Must, Stage, at, draft, retry};
use crate::{Promoted, Store};

pub async fn a_job_is_promoted_from_its_time_on(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(stage.job_promote(at(0), 9).await.must(), Promoted { count: 0, next: None });
    let id = stage.submit(draft(1).start(10)).await;
    let waits = Promoted { count: 0, next: Some(at(10)) };
    assert_eq!(stage.job_promote(at(9), 9).await.must(), waits);
    assert_eq!(stage.state(id).await, State::Scheduled);
    assert_eq!(stage.claim_all(99).await, []);
    assert_eq!(stage.job_promote(at(10), 9).await.must(), Promoted { count: 1, next: None });
    let job = stage.job(id).await;
    assert_eq!((job.state, job.run_at, job.attempt), (State::Submitted, at(10), 0));
    assert_eq!(stage.job_promote(at(10), 9).await.must(), Promoted { count: 0, next: None });
    assert_eq!(stage.claim_all(10).await, [id]);
}

pub async fn the_earliest_are_promoted_first(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, secs) in [(1, 13), (2, 11), (3, 12), (4, 30)] {
        stage.submit(draft(number).start(secs)).await;
    }
    let more_is_due = Promoted { count: 2, next: Some(at(13)) };
    assert_eq!(stage.job_promote(at(20), 2).await.must(), more_is_due);
    assert_eq!(stage.claim_all(20).await, [draft(2).id(), draft(3).id()]);
    let later = Promoted { count: 1, next: Some(at(30)) };
    assert_eq!(stage.job_promote(at(20), 2).await.must(), later);
    assert_eq!(stage.claim_all(20).await, [draft(1).id()]);
}

pub async fn every_kind_of_waiting_is_promoted(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let parked = stage.start(1).await;
    stage.park(&parked, Some(12), 0).await;
    let again = stage.ended(2, retry(11)).await;
    let delayed = stage.submit(draft(3).start(10)).await;
    for (now, id, state) in [
        (10, delayed, State::Submitted),
        (11, again, State::Submitted),
        (12, parked.job.id, State::Running),
    ] {
        let next = (now < 12).then(|| at(now + 1));
        assert_eq!(stage.job_promote(at(now), 9).await.must(), Promoted { count: 1, next });
        assert_eq!(stage.state(id).await, state);
    }
    assert_eq!(stage.claim_all(20).await, [parked.job.id, delayed, again], "by rank");
}

pub async fn a_delayed_job_is_ranked_by_its_time(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let delayed = stage.submit(draft(1).start(20)).await;
    let before = stage.submit(draft(2).at(10)).await;
    let after = stage.submit(draft(3).at(30)).await;
    stage.job_promote(at(40), 9).await.must();
    assert_eq!(stage.claim_all(40).await, [before, delayed, after]);
}

pub async fn no_more_are_promoted_than_asked(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for number in 1..=5 {
        stage.submit(draft(number).start(10)).await;
    }
    let mut counts = Vec::new();
    for _ in 0..4 {
        let promoted = stage.job_promote(at(10), 2).await.must();
        assert_eq!(promoted.next, (counts.len() < 2).then(|| at(10)));
        counts.push(promoted.count);
    }
    assert_eq!(counts, [2, 2, 1, 0]);
}
