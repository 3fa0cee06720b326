//! Exams of leases outside: they last until an instant, and heartbeats extend them.

#![expect(missing_docs, reason = "the name of an exam is its promise")]

use std::sync::Arc;

use jobmill_model::job::{Spec, Verdict, timed_out};
use jobmill_model::limits::LEASE_BYTES;
use jobmill_model::{Job, JobId, Span, State, Timestamp, Token};

use super::stage::{
    Must, Stage, at, call, complete, draft, fail, here, name, nobody, retry, submission, there,
};
use crate::{
    Appended, Call, Claimed, Expired, Extend, Hold, LeaseView, Lent, Reclaimed, Settled, Store,
};

/// Submits a job and lends it to a worker outside, both at second 0, until second 10.
async fn start(stage: &Stage, number: u32) -> Claimed {
    stage.submit(draft(number)).await;
    stage.lend(0).await
}

fn beat(lease: &Claimed, secs: i64) -> Extend {
    Extend { id: lease.job.id, token: lease.token, span: None, now: at(secs) }
}

/// A heartbeat; answers when the lease ends.
async fn extend(stage: &Stage, lease: &Claimed, secs: i64) -> Option<Timestamp> {
    let answers = stage.job_extend(vec![beat(lease, secs)]).await.must();
    assert_eq!(answers.len(), 1, "one heartbeat, one answer");
    answers[0]
}

async fn view(stage: &Stage, id: JobId) -> LeaseView {
    stage.lease_get(&[id]).await.must().remove(0).expect("the job is stored")
}

/// The lease of a job that nobody outside holds.
fn unheld(job: &Job, token: u64) -> LeaseView {
    let Spec { flow, queue, .. } = job.spec.clone();
    LeaseView { token: Token(token), hold: None, flow, queue, attempt: job.attempt }
}

async fn expire(stage: &Stage, secs: i64) -> Expired {
    stage.lease_expire(at(secs), 9, 0.0, 100).await.must()
}

pub async fn a_lent_job_is_running_under_a_lease_with_an_end(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1).input(r#"{"a":1}"#)).await;
    let before = stage.job(id).await;
    assert_eq!(view(&stage, id).await, unheld(&before, 0));
    let lent = stage.job_lease(call(3)).await.must();
    let after = Job { state: State::Running, attempt: 1, started_at: Some(at(3)), ..before };
    assert_eq!(lent, [Lent { job: after.clone(), token: Token(1), expires_at: at(13) }]);
    assert_eq!(stage.job(id).await, after);
    let hold =
        Hold { worker: name("w"), span: Span::from_secs(10), expires_at: at(13), deadline: None };
    assert_eq!(view(&stage, id).await, LeaseView { hold: Some(hold), ..unheld(&after, 1) });
    assert_eq!(stage.lease_get(&[nobody()]).await.must(), [None]);
    assert_eq!(stage.job_lease(call(3)).await.must(), [], "nothing is lent twice");
    assert_eq!(stage.claim_all(3).await, []);
}

pub async fn a_worker_gets_jobs_of_its_queue_and_its_flows(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let jobs = vec![draft(1).queue("q"), draft(2).flow("g"), draft(3).flow("h"), draft(4)];
    let ids: Vec<_> = jobs.iter().map(|job| job.id()).collect();
    stage.insert(submission(jobs)).await;
    let spans = [(name("f"), Span::from_secs(10)), (name("g"), Span::from_secs(20))];
    let call = Call { flows: Arc::new(spans.into()), max: 9, ..call(0) };
    let lent = async |queue: &str| {
        let lent = stage.job_lease(Call { queue: name(queue), ..call.clone() }).await.must();
        lent.into_iter().map(|lent| (lent.job.id, lent.expires_at)).collect::<Vec<_>>()
    };
    assert_eq!(lent("nowhere").await, []);
    assert_eq!(lent("default").await, [(ids[1], at(20)), (ids[3], at(10))]);
    assert_eq!(lent("q").await, [(ids[0], at(10))]);
    let nothing = Call { flows: Arc::default(), ..call.clone() };
    assert_eq!(stage.job_lease(nothing).await.must(), []);
    assert_eq!(stage.state(ids[2]).await, State::Submitted);
}

pub async fn jobs_are_lent_in_the_order_of_their_ranks(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    stage.insert(submission(vec![draft(3), draft(1), draft(2).priority(1)])).await;
    let lent = stage.job_lease(Call { max: 2, ..call(0) }).await.must();
    let ids: Vec<_> = lent.iter().map(|lent| lent.job.id).collect();
    assert_eq!(ids, [draft(2).id(), draft(1).id()]);
    assert_eq!(stage.job_lease(Call { max: 0, ..call(0) }).await.must(), []);
    assert_eq!(stage.claim_all(0).await, [draft(3).id()]);
}

pub async fn a_call_ends_early_when_its_inputs_are_large(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let large = format!("\"{}\"", "x".repeat(LEASE_BYTES));
    for number in 1..=2 {
        stage.submit(draft(number).input(&large)).await;
    }
    for number in 1..=2 {
        let lent = stage.job_lease(Call { max: 9, ..call(0) }).await.must();
        let ids: Vec<_> = lent.iter().map(|lent| lent.job.id).collect();
        assert_eq!(ids, [draft(number).id()]);
    }
}

pub async fn a_heartbeat_gives_the_lease_its_whole_span_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = start(&stage, 1).await;
    assert_eq!(extend(&stage, &lease, 9).await, Some(at(19)));
    assert_eq!(expire(&stage, 18).await, Expired { jobs: vec![], next: Some(at(19)) });
    assert_eq!(extend(&stage, &lease, 19).await, Some(at(29)), "it has not been taken back yet");
    assert_eq!(stage.job(lease.job.id).await, lease.job, "nothing else has changed");
}

pub async fn a_heartbeat_may_change_the_span(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = start(&stage, 1).await;
    let longer = Extend { span: Some(Span::from_secs(60)), ..beat(&lease, 1) };
    assert_eq!(stage.job_extend(vec![longer]).await.must(), [Some(at(61))]);
    assert_eq!(extend(&stage, &lease, 2).await, Some(at(62)), "the new span stays");
}

pub async fn a_heartbeat_under_another_token_changes_nothing(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lost = start(&stage, 1).await;
    assert_eq!(expire(&stage, 10).await.jobs, [(lost.job.id, State::Submitted)]);
    let lease = stage.lend(11).await;
    let wrong = Claimed { token: lease.token.next(), ..lease.clone() };
    let unknown = Extend { id: nobody(), ..beat(&lease, 12) };
    let beats = vec![beat(&lost, 12), beat(&wrong, 12), unknown, beat(&lease, 13)];
    assert_eq!(stage.job_extend(beats).await.must(), [None, None, None, Some(at(23))]);
    assert_eq!(expire(&stage, 22).await.jobs, []);
    assert!(stage.job_extend(vec![]).await.must().is_empty());
}

pub async fn only_a_worker_outside_sends_heartbeats(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let inside = stage.start(1).await;
    assert_eq!(extend(&stage, &inside, 1).await, None);
    assert_eq!(view(&stage, inside.job.id).await.hold, None);
    assert_eq!(expire(&stage, 1_000).await, Expired::default(), "it does not expire either");
    assert!(stage.release(&inside).await);
}

pub async fn the_jobs_of_a_silent_worker_are_claimable_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lost = start(&stage, 1).await;
    let id = lost.job.id;
    let newer = stage.submit(draft(2)).await;
    assert_eq!(stage.append(&lost, &[0]).await, Appended::Done);
    stage.signal(id).await;
    let expired = Expired { jobs: vec![(id, State::Submitted)], next: None };
    assert_eq!(expire(&stage, 10).await, expired);
    stage.assert_stale(&lost).await;
    let after = Job { state: State::Submitted, crashes: 1, ..lost.job.clone() };
    assert_eq!(stage.job(id).await, after);
    assert_eq!(view(&stage, id).await, unheld(&after, 1));
    assert_eq!(stage.attempts(id).await, [], "a crash is not a failed attempt");
    assert_eq!((stage.journal(id).await.len(), stage.inbox(id).await), (1, vec![1]));
    let again = stage.lend(11).await;
    assert_eq!((again.job.id, again.token, again.job.attempt), (id, Token(2), 1));
    assert_eq!(stage.claim_all(11).await, [newer], "the lost one kept its rank");
}

pub async fn a_lease_in_time_does_not_expire(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(expire(&stage, 0).await, Expired::default());
    let lease = start(&stage, 1).await;
    let before_its_end = Expired { jobs: vec![], next: Some(at(10)) };
    assert_eq!(stage.lease_expire(at(9), 9, 0.0, 100).await.must(), before_its_end);
    assert_eq!(stage.settle(&lease, complete(), 9).await, Settled::Done(State::Completed));
}

pub async fn leases_end_in_their_order_and_no_more_than_asked(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let mut leases = Vec::new();
    for number in 1..=4 {
        leases.push(start(&stage, number).await);
    }
    extend(&stage, &leases[0], 3).await;
    extend(&stage, &leases[1], 2).await;
    let first = stage.lease_expire(at(12), 9, 0.0, 1).await.must();
    let ids: Vec<_> = leases.iter().map(|lease| lease.job.id).collect();
    let submitted = |id: &JobId| (*id, State::Submitted);
    assert_eq!(first, Expired { jobs: vec![submitted(&ids[2])], next: Some(at(10)) });
    let rest = expire(&stage, 12).await;
    let expected = [ids[3], ids[1]].iter().map(submitted).collect();
    assert_eq!(rest, Expired { jobs: expected, next: Some(at(13)) });
    let none = stage.lease_expire(at(99), 9, 0.0, 0).await.must();
    assert_eq!(none, Expired { jobs: vec![], next: Some(at(13)) });
}

pub async fn a_job_that_lost_too_many_silent_workers_fails(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = stage.submit(draft(1)).await;
    stage.lend(0).await;
    let expired = stage.lease_expire(at(10), 1, 0.0, 9).await.must();
    assert_eq!(expired.jobs, [(id, State::Submitted)]);
    let last = stage.lend(20).await;
    let expired = stage.lease_expire(at(30), 1, 0.0, 9).await.must();
    assert_eq!(expired, Expired { jobs: vec![(id, State::Failed)], next: None });
    stage.assert_stale(&last).await;
    let job = stage.job(id).await;
    assert_eq!((job.state, job.crashes, job.finished_at), (State::Failed, 2, Some(at(30))));
    assert_eq!(job.error.expect("it tells why").code, "WorkerLost");
    assert_eq!(stage.attempts(id).await.len(), 1);
}

/// A job with two attempts of five seconds each.
async fn hurried(stage: &Stage) -> JobId {
    let hurried = draft(1).with(|spec| {
        spec.timeout = Some(Span::from_secs(5));
        spec.max_attempts = 2;
        spec.backoff = jobmill_model::job::Backoff::fixed(Span::from_secs(7));
    });
    stage.submit(hurried).await
}

pub async fn an_attempt_that_runs_out_of_time_is_tried_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = hurried(&stage).await;
    let slow = stage.job_lease(call(0)).await.must().remove(0);
    assert_eq!(slow.expires_at, at(5), "no lease outlasts the time limit");
    assert_eq!(expire(&stage, 6).await.jobs, [(id, State::Scheduled)]);
    stage.assert_stale(&Claimed { job: slow.job, token: slow.token }).await;
    let job = stage.job(id).await;
    assert_eq!((job.attempt, job.crashes, job.run_at), (1, 0, at(13)));
    let fault = timed_out(Span::from_secs(5));
    let attempts = stage.attempts(id).await;
    assert_eq!(attempts.len(), 1);
    assert_eq!((&*attempts[0].code, &attempts[0].message), (&*fault.code, &fault.message));
}

pub async fn the_last_attempt_that_runs_out_of_time_fails_the_job(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = hurried(&stage).await;
    stage.lend(0).await;
    expire(&stage, 5).await;
    stage.job_promote(at(20), 9).await.must();
    stage.lend(20).await;
    assert_eq!(expire(&stage, 25).await.jobs, [(id, State::Failed)]);
    assert_eq!(stage.job(id).await.error.expect("it tells why").code, "Timeout");
}

pub async fn a_heartbeat_does_not_outlast_the_time_limit(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let id = hurried(&stage).await;
    let lease = stage.lend(0).await;
    assert_eq!(extend(&stage, &lease, 4).await, Some(at(5)));
    let hold = view(&stage, id).await.hold.expect("it is lent");
    assert_eq!(hold.deadline, Some(at(5)));
    let shorter = Extend { span: Some(Span::from_secs(2)), ..beat(&lease, 1) };
    assert_eq!(stage.job_extend(vec![shorter]).await.must(), [Some(at(3))]);
    assert_eq!(expire(&stage, 3).await.jobs, [(id, State::Submitted)], "the worker was silent");
}

pub async fn a_lent_job_is_no_job_of_a_dead_process(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = start(&stage, 1).await;
    for alive in [here(), there()] {
        assert_eq!(stage.job_reclaim(alive, 0, at(1)).await.must(), Reclaimed::default());
    }
    assert_eq!(stage.settle(&lease, complete(), 2).await, Settled::Done(State::Completed));
}

pub async fn after_a_start_every_lease_has_its_whole_span_again(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    assert_eq!(stage.lease_renew(at(0)).await.must(), None);
    let id = hurried(&stage).await;
    let limited = stage.lend(0).await;
    let lease = start(&stage, 2).await;
    assert_eq!(stage.lease_renew(at(2)).await.must(), Some(at(5)), "time limits stay");
    assert_eq!(view(&stage, lease.job.id).await.hold.expect("it is lent").expires_at, at(12));
    assert!(stage.release(&limited).await);
    assert_eq!(stage.lease_renew(at(100)).await.must(), Some(at(110)));
    assert_eq!(stage.lease_renew(at(1)).await.must(), Some(at(11)), "a clock may be set back");
    assert_eq!(stage.state(id).await, State::Submitted);
}

pub async fn an_ended_lease_expires_no_more(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    for (number, verdict) in (1..).zip([complete(), fail(), retry(50), Verdict::Cancel]) {
        let lease = start(&stage, number).await;
        assert!(matches!(stage.settle(&lease, verdict, 1).await, Settled::Done(_)));
    }
    let cancelled = start(&stage, 5).await;
    stage.job_cancel(&[cancelled.job.id], at(1)).await.must();
    let parked = start(&stage, 6).await;
    stage.park(&parked, None, 0).await;
    let released = start(&stage, 7).await;
    assert!(stage.release(&released).await);
    assert_eq!(expire(&stage, 1_000).await, Expired::default());
    for lease in [cancelled, parked, released] {
        assert_eq!(view(&stage, lease.job.id).await.hold, None);
        stage.assert_stale(&lease).await;
    }
}

pub async fn a_lent_job_ends_like_any_other(store: Arc<dyn Store>) {
    let stage = Stage::new(store);
    let lease = start(&stage, 1).await;
    let note = super::lease::note(&lease, 3, "on it");
    assert_eq!(stage.job_progress(&[note]).await.must(), [true]);
    assert_eq!(stage.settle(&lease, retry(5), 1).await, Settled::Done(State::Scheduled));
    stage.job_promote(at(5), 9).await.must();
    let inside = stage.claim(5).await;
    assert_eq!((inside.token, inside.job.attempt), (Token(2), 2), "whoever comes takes it on");
    stage.assert_stale(&lease).await;
    assert!(stage.release(&inside).await);
    let outside = stage.lend(6).await;
    stage.assert_stale(&inside).await;
    assert_eq!(stage.settle(&outside, fail(), 7).await, Settled::Done(State::Failed));
    stage.assert_stale(&outside).await;
}
