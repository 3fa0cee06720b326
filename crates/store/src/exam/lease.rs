//! Exams of the lease: claiming, telling progress, handing back.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::{Progress, Verdict};
use jobmill_model::limits::MESSAGE_BYTES;
use jobmill_model::{Job, State, Token};

use super::stage::{
    Must, Stage, at, claim, complete, draft, drafts, fail, names, nobody, retry, submission, there,
};
use crate::{Appended, Claim, Claimed, Parked, ProgressNote, Settle, Settled, Store};

/// A note that so much of ten is done.
pub(super) fn note(lease: &Claimed, done: u64, message: &str) -> ProgressNote {
    let progress = Progress { done, total: 10, message: message.to_owned() };
    ProgressNote { id: lease.job.id, token: lease.token, progress }
}

pub async fn a_claimed_job_is_running_under_a_lease(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1).input(r#"{"a":1}"#)).await;
    let before = stage.job(id).await;
    let claimed = stage.claim(3).await;
    let after = Job { state: State::Running, attempt: 1, started_at: Some(at(3)), ..before };
    assert_eq!(claimed, Claimed { job: after.clone(), token: Token(1) });
    assert_eq!(stage.job(id).await, after);
}

pub async fn nothing_is_claimed_twice(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(stage.claim_all(0).await, [], "there is nothing yet");
    stage.start(1).await;
    let elsewhere = Claim { instance: there(), ..claim(1) };
    assert_eq!(stage.job_claim(elsewhere).await.must(), []);
    assert_eq!(stage.claim_all(1).await, []);
}

pub async fn a_claim_takes_no_more_than_it_asks_for(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.insert(submission(drafts(1..=5))).await;
    for (max, expected) in [(0, 0), (2, 2), (9, 3)] {
        let claimed = stage.job_claim(Claim { max, ..claim(0) }).await.must();
        assert_eq!(claimed.len(), expected);
    }
}

pub async fn only_known_flows_are_claimed(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![draft(1).flow("g"), draft(2).flow("h"), draft(3), draft(4).flow("g")];
    let ids: Vec<_> = jobs.iter().map(|job| job.id()).collect();
    stage.insert(submission(jobs)).await;
    let mut claimed = Vec::new();
    for flows in [&[][..], &["F", "x"], &["g", "f"], &["h"]] {
        let wanted = Claim { flows: names(flows), max: 9, ..claim(0) };
        let jobs = stage.job_claim(wanted).await.must();
        claimed.push(jobs.into_iter().map(|claimed| claimed.job.id).collect::<Vec<_>>());
    }
    assert_eq!(claimed, [vec![], vec![], vec![ids[0], ids[2], ids[3]], vec![ids[1]]]);
}

pub async fn the_oldest_job_is_claimed_first_over_all_queues(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, secs, queue) in [(1, 3, "a"), (2, 1, "b"), (3, 2, "a"), (4, 4, "b")] {
        stage.submit(draft(number).at(secs).queue(queue)).await;
    }
    let order = stage.claim_all(9).await;
    let expected = [(2, 1), (3, 2), (1, 3), (4, 4)].map(|(n, secs)| draft(n).at(secs).id());
    assert_eq!(order, expected);
}

pub async fn of_equal_rank_the_lower_id_is_claimed_first(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for number in [3, 1, 2] {
        stage.submit(draft(number)).await;
    }
    assert_eq!(stage.claim_all(0).await, [1, 2, 3].map(|number| draft(number).id()));
}

pub async fn a_higher_priority_goes_before_jobs_of_some_minutes(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = [(1, 0, 0), (2, 119, 2), (3, 121, 2), (4, 0, -1), (5, 59, 0), (6, 61, 0)];
    let mut ids = Vec::new();
    for (number, secs, level) in jobs {
        ids.push(stage.submit(draft(number).at(secs).priority(level)).await);
    }
    let expected = [2, 1, 3, 5, 4, 6].map(|number: usize| ids[number - 1]);
    assert_eq!(stage.claim_all(200).await, expected);
}

pub async fn tokens_grow_by_one_with_each_claim(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut lease = stage.start(1).await;
    for token in 2..=4 {
        assert!(stage.release(&lease).await);
        stage.assert_stale(&lease).await;
        lease = stage.claim(0).await;
        assert_eq!(lease.token, Token(token));
    }
    let forged = Claimed { token: lease.token.next(), ..lease.clone() };
    stage.assert_stale(&forged).await;
    let unknown = Claimed { job: Job { id: nobody(), ..lease.job.clone() }, ..lease };
    stage.assert_stale(&unknown).await;
}

pub async fn a_job_without_a_lease_refuses_every_token(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1)).await;
    for token in [Token(0), Token(1)] {
        stage.assert_stale(&Claimed { job: stage.job(id).await, token }).await;
    }
    assert_eq!(stage.claim(1).await.token, Token(1));
}

pub async fn attempts_count_tries_of_the_flow_and_nothing_else(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    assert!(stage.release(&lease).await);
    let lease = stage.claim(1).await;
    assert_eq!(lease.job.attempt, 1, "handing back is not the end of an attempt");
    assert_eq!(stage.park(&lease, Some(2), 0).await, Parked::Done);
    stage.job_promote(at(2), 9).await.must();
    let lease = stage.claim(2).await;
    assert_eq!(lease.job.attempt, 1, "parking is not the end of an attempt");
    stage.job_reclaim(there(), 9, at(3)).await.must();
    let lease = stage.claim(3).await;
    assert_eq!((lease.job.attempt, lease.job.crashes), (1, 1), "neither is a crash");
    stage.settle(&lease, retry(4), 4).await;
    stage.job_promote(at(4), 9).await.must();
    let lease = stage.claim(4).await;
    assert_eq!((lease.job.attempt, lease.job.crashes, lease.job.run), (2, 1, 1));
    assert_eq!(lease.job.started_at, Some(at(0)), "the run began with its first claim");
}

pub async fn progress_is_recorded_under_a_lease(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let one = stage.start(1).await;
    let two = stage.start(2).await;
    let stale = Claimed { token: Token(9), ..one.clone() };
    let unknown = Claimed { job: Job { id: nobody(), ..one.job.clone() }, ..one.clone() };
    let notes = [
        note(&one, 1, "a"),
        note(&stale, 5, "x"),
        note(&two, 2, "b"),
        note(&unknown, 5, "x"),
        note(&one, 3, "c"),
    ];
    let held = stage.job_progress(&notes).await.must();
    assert_eq!(held, [true, false, true, false, true]);
    assert_eq!(stage.job(one.job.id).await.progress, notes[4].progress, "the later one counts");
    assert_eq!(stage.job(two.job.id).await.progress, notes[2].progress);
    assert!(stage.job_progress(&[]).await.must().is_empty());
}

pub async fn progress_survives_the_lease(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let far = note(&lease, 7, "far").progress;
    stage.job_progress(&[note(&lease, 7, "far")]).await.must();
    assert!(stage.release(&lease).await);
    assert_eq!(stage.job(lease.job.id).await.progress, far);
    assert_eq!(stage.claim(1).await.job.progress, far);
}

pub async fn a_settlement_may_say_how_far_the_job_came(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let verdicts = [complete(), retry(9), fail(), Verdict::Cancel];
    for (number, verdict) in (1..).zip(verdicts) {
        let lease = stage.start(number).await;
        let progress = note(&lease, 9, &"far ".repeat(100_000)).progress;
        let (id, token, now) = (lease.job.id, lease.token, at(5));
        let end = |progress, verdict| {
            let chunks = Vec::new();
            vec![Settle { id, token, verdict, chunks, progress, now }]
        };
        stage.job_settle(end(Some(progress.clone()), verdict)).await.must();
        let kept = stage.job(id).await.progress;
        assert_eq!((kept.done, kept.total), (9, 10));
        assert!(progress.message.starts_with(&kept.message) && kept.message.len() < 100_000);
        let late = Some(Progress::default());
        assert_eq!(stage.job_settle(end(late, complete())).await.must(), [Settled::Stale]);
        assert_eq!(stage.job(id).await.progress, kept, "a late word changes nothing");
    }
}

pub async fn a_long_message_of_progress_is_cut_between_characters(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    let long = format!("x{}", "é".repeat(MESSAGE_BYTES));
    stage.job_progress(&[note(&lease, 1, &long)]).await.must();
    let message = stage.job(lease.job.id).await.progress.message;
    assert_eq!(message, &long[..MESSAGE_BYTES - 1]);
}

pub async fn a_job_handed_back_is_claimable_at_its_old_rank(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = stage.start(1).await;
    stage.submit(draft(2)).await;
    let id = lease.job.id;
    assert_eq!(stage.append(&lease, &[0]).await, Appended::Done);
    stage.signal(id).await;
    assert!(stage.release(&lease).await);
    let job = stage.job(id).await;
    assert_eq!((job.state, job.attempt, job.crashes), (State::Submitted, 1, 0));
    assert_eq!((stage.journal(id).await.len(), stage.inbox(id).await), (1, vec![1]));
    assert_eq!(stage.claim_all(9).await, [id, draft(2).id()]);
}

pub async fn leases_are_handed_back_each_for_itself(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let one = stage.start(1).await;
    let two = stage.start(2).await;
    let leases = [
        (one.job.id, one.token),
        (nobody(), one.token),
        (one.job.id, one.token),
        (two.job.id, Token(7)),
        (two.job.id, two.token),
    ];
    let held = stage.job_release(&leases).await.must();
    assert_eq!(held, [true, false, false, false, true]);
    assert!(stage.job_release(&[]).await.must().is_empty());
}
