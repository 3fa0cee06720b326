//! What the engine promises of flows of one call.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::sync::{Arc, mpsc};

use jobmill_engine::{Registry, SubmitError};
use jobmill_model::job::{Fingerprint, Idempotency, NewJob, Spec, Start};
use jobmill_model::queue::{Name, Priority, QueueRules};
use jobmill_model::rate::Rate;
use jobmill_model::{Class, Fault, Span, State, Value};
use jobmill_store::memory::MemoryStore;
use jobmill_store::{AttemptQuery, Cancelled, JobQuery, Retried, StoreError};
use world::{Act, CutStore, HandClock, LONG, Scripted, World, engine_on, job, spec};

fn attempts_of(id: jobmill_model::JobId) -> AttemptQuery {
    AttemptQuery { id, code: None, since: None, until: None, skip: 0, limit: 100 }
}

#[tokio::test]
async fn a_job_runs_and_its_result_is_read() {
    let (world, _) = World::scripted([]).await;
    let accepted = world.engine.submit(vec![job(7)], None).await.unwrap().remove(0);
    assert_eq!((accepted.state, accepted.attempt), (State::Submitted, 0));
    let done = world.ended(accepted.id).await;
    assert_eq!((done.state, done.attempt, done.error), (State::Completed, 1, None));
    assert_eq!(world.result(accepted.id).await, Value::from(7));
}

#[tokio::test]
async fn many_jobs_of_one_submission_all_run() {
    let (world, _) = World::scripted([]).await;
    let jobs = (0..500).map(job).collect();
    for accepted in world.engine.submit(jobs, None).await.unwrap() {
        assert_eq!(world.ended(accepted.id).await.state, State::Completed);
    }
    assert_eq!(world.engine.tally().await.unwrap().0[&State::Completed], 500);
}

#[tokio::test]
async fn an_unknown_flow_is_refused_with_the_nearest_name() {
    let (world, _) = World::scripted([]).await;
    let unknown = NewJob { spec: spec("scriptd"), ..job(1) };
    let error = world.engine.submit(vec![job(1), unknown], None).await.unwrap_err();
    let near = Some("scripted".to_owned());
    assert_eq!(error, SubmitError::UnknownFlow { index: 1, flow: "scriptd".into(), near });
    let query = JobQuery { limit: 10, ..JobQuery::default() };
    assert!(world.engine.jobs(&query).await.unwrap().jobs.is_empty());
}

#[tokio::test]
async fn every_misfit_of_a_submission_is_told_and_nothing_is_stored() {
    let (world, _) = World::scripted([]).await;
    let error = world.engine.submit(vec![job("bad"), job(1), job("bad")], None).await.unwrap_err();
    let SubmitError::Invalid(problems) = error else { panic!("{error}") };
    assert_eq!(problems.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(world.engine.tally().await.unwrap().0.values().sum::<u64>(), 0);
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_after_the_backoff() {
    let busy = || Act::Fail(Fault::retry("Busy", "try later"));
    let (world, mut begins) = World::scripted([busy(), busy()]).await;
    let id = world.submit(job(1)).await;
    for attempt in 1..=2 {
        begins.recv().await.unwrap();
        let waiting = world.reaches(id, State::Scheduled).await;
        assert_eq!((waiting.attempt, waiting.error.unwrap().code.as_str()), (attempt, "Busy"));
        assert_eq!(waiting.run_at, world.engine.now().after(Span::from_secs(5)));
        world.clock.advance(Span::from_secs(5));
    }
    let done = world.ended(id).await;
    assert_eq!((done.state, done.attempt, done.error), (State::Completed, 3, None));
    let failed = world.engine.attempts(&attempts_of(id)).await.unwrap();
    assert_eq!(failed.iter().map(|failed| failed.attempt).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn the_last_attempt_fails_the_job() {
    let (world, _) = World::scripted([Act::Fail(Fault::retry("Busy", "try later"))]).await;
    let once = Spec { max_attempts: 1, ..spec("scripted") };
    let id = world.submit(NewJob { spec: once, ..job(1) }).await;
    let failed = world.ended(id).await;
    assert_eq!((failed.state, failed.error.unwrap().code.as_str()), (State::Failed, "Busy"));
}

#[tokio::test]
async fn a_panic_fails_its_job_and_the_worker_goes_on() {
    let (world, _) = World::scripted([Act::Panic, Act::Panic, Act::Panic]).await;
    for _ in 0..3 {
        let id = world.submit(job(1)).await;
        let error = world.ended(id).await.error.unwrap();
        assert_eq!(error.code, "Panic");
        assert!(error.message.contains("as the script says"), "{}", error.message);
    }
    let id = world.submit(job(1)).await;
    assert_eq!(world.ended(id).await.state, State::Completed);
}

#[tokio::test]
async fn a_fault_may_put_off_the_next_attempt() {
    let not_before = Some(Span::from_secs(60));
    let fault = Fault { class: Class::Retry { not_before }, ..Fault::last("Limited", "wait") };
    let (world, _) = World::scripted([Act::Fail(fault)]).await;
    let id = world.submit(job(1)).await;
    let waiting = world.reaches(id, State::Scheduled).await;
    assert_eq!(waiting.run_at, world.engine.now().after(Span::from_secs(60)));
}

#[tokio::test]
async fn a_delayed_job_waits_for_its_time() {
    let (world, mut begins) = World::scripted([]).await;
    let later = Spec { start: Start::After(Span::from_secs(60)), ..spec("scripted") };
    let id = world.submit(NewJob { spec: later, ..job("late") }).await;
    world.submit(job("early")).await;
    assert_eq!(begins.recv().await.unwrap(), Value::from("early"));
    assert_eq!(world.engine.job(id).await.unwrap().unwrap().state, State::Scheduled);
    world.clock.advance(Span::from_secs(60));
    assert_eq!(world.ended(id).await.state, State::Completed);
}

#[tokio::test]
async fn a_higher_priority_goes_first() {
    let (told, word) = mpsc::channel();
    let (told_too, word_too) = mpsc::channel();
    let (world, mut begins) =
        World::scripted([Act::UntilTold(word), Act::UntilTold(word_too)]).await;
    for name in ["first", "second"] {
        world.submit(job(name)).await;
        begins.recv().await.unwrap();
    }
    world.submit(job("low")).await;
    let high = Spec { priority: Priority::new(5).unwrap(), ..spec("scripted") };
    world.submit(NewJob { spec: high, ..job("high") }).await;
    told.send(()).unwrap();
    assert_eq!(begins.recv().await.unwrap(), Value::from("high"));
    told_too.send(()).unwrap();
    assert_eq!(begins.recv().await.unwrap(), Value::from("low"));
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_is_ended_and_its_late_outcome_refused() {
    let (told, word) = mpsc::channel();
    let (world, mut begins) = World::scripted([Act::UntilTold(word)]).await;
    let limited = Spec { timeout: Some(Span::from_secs(3)), ..spec("scripted") };
    let id = world.submit(NewJob { spec: limited, ..job(1) }).await;
    begins.recv().await.unwrap();
    world.clock.advance(Span::from_secs(3));
    let waiting = world.reaches(id, State::Scheduled).await;
    assert_eq!(waiting.error.unwrap().code, "Timeout");
    told.send(()).unwrap();
    while world.engine.counts().stale == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.engine.job(id).await.unwrap().unwrap().state, State::Scheduled);
}

#[tokio::test]
async fn cancelling_a_waiting_job_keeps_it_from_running() {
    let (world, mut begins) = World::scripted([]).await;
    let later = Spec { start: Start::After(Span::from_secs(60)), ..spec("scripted") };
    let id = world.submit(NewJob { spec: later, ..job("never") }).await;
    let outcomes = world.engine.cancel(&[id, id]).await.unwrap();
    let twice = [Cancelled::Done(State::Scheduled), Cancelled::Ended(State::Cancelled)];
    assert_eq!(outcomes, twice);
    world.clock.advance(Span::from_secs(60));
    let other = world.submit(job("other")).await;
    world.ended(other).await;
    assert_eq!(begins.try_recv().unwrap(), Value::from("other"));
    assert!(begins.try_recv().is_err());
}

#[tokio::test]
async fn cancelling_a_running_job_is_recorded_at_once_and_stops_its_work() {
    let (world, mut begins) = World::scripted([Act::UntilStopped]).await;
    let id = world.submit(job(1)).await;
    begins.recv().await.unwrap();
    assert_eq!(world.engine.cancel(&[id]).await.unwrap(), [Cancelled::Done(State::Running)]);
    assert_eq!(world.engine.job(id).await.unwrap().unwrap().state, State::Cancelled);
    while world.engine.under_way() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.engine.job(id).await.unwrap().unwrap().state, State::Cancelled);
}

#[tokio::test]
async fn a_failed_job_runs_again_when_asked_and_a_completed_one_does_not() {
    let (world, _) = World::scripted([Act::Fail(Fault::last("Bad", "no"))]).await;
    let id = world.submit(job(1)).await;
    assert_eq!(world.ended(id).await.state, State::Failed);
    assert_eq!(world.engine.retry(&[id]).await.unwrap(), [Retried::Done]);
    let done = world.ended(id).await;
    assert_eq!((done.state, done.run, done.attempt), (State::Completed, 2, 1));
    assert_eq!(world.engine.retry(&[id]).await.unwrap(), [Retried::Refused(State::Completed)]);
    assert_eq!(world.engine.attempts(&attempts_of(id)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_idempotency_key_gives_the_same_job_and_the_same_answer() {
    let (world, _) = World::scripted([]).await;
    let key = |body: &[u8]| {
        Idempotency::new("test", "k", Fingerprint::of(body), world.engine.now()).unwrap()
    };
    let first = world.engine.submit(vec![job(1)], Some(key(b"1"))).await.unwrap();
    world.ended(first[0].id).await;
    world.clock.advance(Span::from_secs(1));
    let again = world.engine.submit(vec![job(1)], Some(key(b"1"))).await.unwrap();
    assert_eq!(first, again);
    let other = world.engine.submit(vec![job(2)], Some(key(b"2"))).await.unwrap_err();
    assert_eq!(other, SubmitError::Store(StoreError::KeyReused));
    assert_eq!(world.engine.tally().await.unwrap().0.values().sum::<u64>(), 1);
}

#[tokio::test]
async fn progress_can_be_read_while_the_job_runs() {
    let (told, word) = mpsc::channel();
    let (world, mut begins) = World::scripted([Act::UntilTold(word)]).await;
    let id = world.submit(job(1)).await;
    begins.recv().await.unwrap();
    loop {
        let progress = world.engine.job(id).await.unwrap().unwrap().progress;
        if progress.done == 1 {
            assert_eq!((progress.total, progress.message.as_str()), (2, "half way"));
            break;
        }
        tokio::task::yield_now().await;
    }
    told.send(()).unwrap();
    let progress = world.ended(id).await.progress;
    assert_eq!((progress.done, progress.message.as_str()), (2, "all of it"), "the last word");
}

/// Begins a shutdown; ends with it.
async fn shut_down(world: &World) -> tokio::task::JoinHandle<()> {
    let engine = world.engine.clone();
    let draining = tokio::spawn(async move { engine.drain().await });
    while !world.engine.is_draining() {
        tokio::task::yield_now().await;
    }
    draining
}

#[tokio::test]
async fn a_shutdown_waits_for_work_under_way_and_takes_on_no_more() {
    let (told, word) = mpsc::channel();
    let (world, mut begins) = World::scripted([Act::UntilTold(word)]).await;
    let id = world.submit(job(1)).await;
    begins.recv().await.unwrap();
    let draining = shut_down(&world).await;
    assert_eq!(world.engine.submit(vec![job(2)], None).await, Err(SubmitError::Draining));
    told.send(()).unwrap();
    draining.await.unwrap();
    assert_eq!(world.engine.job(id).await.unwrap().unwrap().state, State::Completed);
}

#[tokio::test]
async fn a_shutdown_hands_back_what_does_not_end_within_the_grace() {
    let (world, mut begins) = World::scripted([Act::UntilStopped]).await;
    let id = world.submit(job(1)).await;
    begins.recv().await.unwrap();
    let draining = shut_down(&world).await;
    world.clock.advance(Span::from_secs(10));
    draining.await.unwrap();
    let back = world.engine.job(id).await.unwrap().unwrap();
    assert_eq!((back.state, back.attempt, back.crashes), (State::Submitted, 1, 0));
}

#[tokio::test]
async fn a_flow_that_gives_up_at_a_shutdown_does_not_count_as_cancelled() {
    let (flow, mut begins) = Scripted::new([Act::UntilStopped]);
    let (memory, clock) = (Arc::new(MemoryStore::new()), HandClock::default());
    let store = Arc::new(CutStore::new(memory.clone(), i64::MAX));
    let registry = Registry::new().with_flow(flow).unwrap();
    let engine = engine_on(store.clone(), &clock, registry).await;
    let world = World { engine, clock, store: memory };
    let id = world.submit(job(1)).await;
    begins.recv().await.unwrap();
    store.hold_releases(true);
    let draining = shut_down(&world).await;
    world.clock.advance(Span::from_secs(10));
    // The release that the shutdown asks for waits, and the flow has said that it gave up.
    store.until_ends(2).await;
    store.hold_releases(false);
    draining.await.unwrap();
    let back = world.engine.job(id).await.unwrap().unwrap();
    assert_eq!((back.state, back.attempt, back.crashes), (State::Submitted, 1, 0));
}

#[tokio::test]
async fn waiting_for_an_unknown_job_ends_at_once() {
    let (world, _) = World::scripted([]).await;
    let id = world.submit(job(1)).await;
    let unknown = jobmill_model::JobId::from_bytes([0; 16]);
    assert_eq!(world.engine.wait(unknown, LONG).await, Ok(None));
    assert!(world.engine.wait(id, LONG).await.unwrap().is_some());
}

#[test]
fn a_registry_refuses_a_second_flow_of_the_same_name() {
    let (flow, _) = Scripted::new([]);
    let registry = jobmill_engine::Registry::new().with_flow(flow.clone()).unwrap();
    assert!(registry.card(&Name::trusted("scripted")).is_some());
    assert!(registry.with_flow(flow).is_err());
}

#[tokio::test]
async fn a_paused_queue_starts_nothing_until_it_goes_on() {
    let (world, mut begins) = World::scripted([]).await;
    let queue = Name::trusted("default");
    assert!(world.engine.queue_pause(&queue, true).await.unwrap().paused);
    let id = world.submit(job(1)).await;
    assert_eq!(world.engine.queue(&queue).await.unwrap().ready, 1);
    assert!(begins.try_recv().is_err());
    world.engine.queue_pause(&queue, false).await.unwrap();
    assert_eq!(world.ended(id).await.state, State::Completed);
}

#[tokio::test]
async fn the_end_of_a_job_starts_the_next_of_its_key() {
    let (tell, told) = mpsc::channel();
    let (world, mut begins) = World::scripted([Act::UntilTold(told)]).await;
    let keyed = |input: i64| {
        let spec = Spec { key: Some(Name::trusted("ann")), ..spec("scripted") };
        NewJob { spec, ..job(input) }
    };
    let jobs = world.engine.submit((1..=9).map(keyed).collect(), None).await.unwrap();
    assert_eq!(begins.recv().await, Some(Value::from(1)));
    let standing = world.engine.queue(&Name::trusted("default")).await.unwrap();
    assert_eq!((standing.ready, standing.held, standing.leased), (0, 8, 1));
    tell.send(()).unwrap();
    for job in &jobs {
        assert_eq!(world.ended(job.id).await.state, State::Completed);
    }
}

#[tokio::test]
async fn a_raised_limit_of_keys_starts_held_jobs() {
    let (tell, told) = mpsc::channel();
    let (world, mut begins) = World::scripted([Act::UntilTold(told)]).await;
    let spec = Spec { key: Some(Name::trusted("ann")), ..spec("scripted") };
    let first = world.submit(NewJob { spec: spec.clone(), ..job(1) }).await;
    assert_eq!(begins.recv().await, Some(Value::from(1)));
    let second = world.submit(NewJob { spec, ..job(2) }).await;
    let rules = QueueRules { key_limit: 2, ..QueueRules::default() };
    world.engine.queue_put(&Name::trusted("default"), rules).await.unwrap();
    assert_eq!(world.ended(second).await.state, State::Completed);
    tell.send(()).unwrap();
    assert_eq!(world.ended(first).await.state, State::Completed);
}

#[tokio::test]
async fn a_rate_starts_the_next_job_when_it_has_refilled() {
    let (world, mut begins) = World::scripted([]).await;
    let rate = Some(Rate { count: 1, per: Span::from_secs(60) });
    let rules = QueueRules { rate, ..QueueRules::default() };
    let queue = Name::trusted("default");
    world.engine.queue_put(&queue, rules).await.unwrap();
    let (first, second) = (world.submit(job(1)).await, world.submit(job(2)).await);
    world.ended(first).await;
    let standing = world.engine.queue(&queue).await.unwrap();
    assert_eq!(standing.refills_at, Some(world.engine.now().after(Span::from_secs(60))));
    world.clock.advance(Span::from_secs(59));
    assert_eq!(begins.recv().await, Some(Value::from(1)));
    assert!(begins.try_recv().is_err(), "the second waits");
    world.clock.advance(Span::from_secs(1));
    assert_eq!(world.ended(second).await.state, State::Completed);
}
