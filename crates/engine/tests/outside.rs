//! Workers outside: leases that end, and what happens then. Time is moved by hand.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use jobmill_engine::Registry;
use jobmill_engine::outside::{Ending, Lost, Want};
use jobmill_model::job::{NewJob, Spec, Start};
use jobmill_model::queue::Name;
use jobmill_model::{Declaration, Fault, JobId, Span, State, Token, Value};
use tokio::task::JoinSet;
use world::{World, spec};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A world that knows the flow `f`, whose leases last ten seconds.
async fn world() -> World {
    let world = World::start(Registry::new()).await;
    let lease = Span::from_secs(10);
    world.engine.declare(Declaration { lease, ..Declaration::new(name("f")) }).await.unwrap();
    world
}

fn job(timeout: Option<u64>) -> NewJob {
    let spec = Spec { timeout: timeout.map(Span::from_secs), ..spec("f") };
    NewJob { spec, input: Value::from(1), params: Value::map::<&str>([]) }
}

fn want() -> Want {
    let flows = vec![name("f")];
    let (worker, queue) = (name("w"), name("default"));
    Want { worker, queue, flows, max: 1, lease: None, wait: Span::ZERO }
}

/// Leases the one job that waits.
async fn lease(world: &World) -> (JobId, Token) {
    let hand = world.engine.lease(want()).await.unwrap();
    let lent = &hand.jobs()[0];
    let lease = (lent.job.id, lent.token);
    hand.keep();
    lease
}

async fn finish(world: &World, (id, token): (JobId, Token)) -> Result<State, Lost> {
    let outcome = Ok(Value::from(2));
    world.engine.finish(vec![Ending { id, token, outcome }]).await.unwrap().remove(0)
}

#[tokio::test]
async fn the_job_of_a_silent_worker_is_taken_over_when_its_lease_ends() {
    let world = world().await;
    let id = world.submit(job(None)).await;
    let silent = lease(&world).await;
    world.clock.advance(Span::from_secs(9));
    assert!(world.engine.lease(want()).await.unwrap().jobs().is_empty(), "not before");
    let waiting = world.engine.lease(Want { wait: Span::from_secs(60), ..want() });
    let later = async {
        tokio::task::yield_now().await;
        world.clock.advance(Span::from_secs(1));
    };
    let (hand, ()) = tokio::join!(waiting, later);
    let hand = hand.unwrap();
    let taken = (hand.jobs()[0].job.id, hand.jobs()[0].token);
    assert_eq!((taken.0, hand.jobs()[0].job.crashes), (id, 1));
    hand.keep();
    assert_eq!(finish(&world, silent).await, Err(Lost::Ended(State::Running)));
    assert_eq!(finish(&world, taken).await, Ok(State::Completed));
    assert_eq!(world.result(id).await, Value::from(2));
}

#[tokio::test]
async fn heartbeats_keep_a_lease() {
    let world = world().await;
    world.submit(job(None)).await;
    let (id, token) = lease(&world).await;
    for _ in 0..10 {
        world.clock.advance(Span::from_secs(9));
        let ends = world.engine.heartbeat(vec![(id, token, None)]).await.unwrap();
        assert_eq!(ends, [Ok(world.engine.now().after(Span::from_secs(10)))]);
    }
    assert_eq!(finish(&world, (id, token)).await, Ok(State::Completed));
}

#[tokio::test]
async fn an_attempt_outside_has_its_time_limit_too() {
    let world = world().await;
    let id = world.submit(job(Some(5))).await;
    let slow = lease(&world).await;
    world.clock.advance(Span::from_secs(5));
    let job = world.reaches(id, State::Scheduled).await;
    assert_eq!((job.error.unwrap().code.as_str(), job.attempt, job.crashes), ("Timeout", 1, 0));
    assert_eq!(finish(&world, slow).await, Err(Lost::Ended(State::Scheduled)));
    world.clock.advance(Span::from_secs(5));
    world.reaches(id, State::Submitted).await;
    assert_eq!(finish(&world, lease(&world).await).await, Ok(State::Completed));
}

#[tokio::test]
async fn no_worker_is_blamed_for_a_jump_of_the_clock() {
    let world = world().await;
    world.submit(job(None)).await;
    let patient = lease(&world).await;
    world.clock.advance(Span::from_secs(3_600));
    // The lease has its whole span again, as the store says once the timer has come.
    loop {
        let hold = world.engine.hold(patient.0).await.unwrap().expect("it is still lent");
        if hold.expires_at > world.engine.now() {
            break;
        }
        tokio::task::yield_now().await;
    }
    world.clock.advance(Span::from_secs(9));
    assert_eq!(finish(&world, patient).await, Ok(State::Completed));
}

#[tokio::test]
async fn an_attempt_whose_time_is_over_after_a_jump_of_the_clock_is_ended() {
    let world = world().await;
    let id = world.submit(job(Some(60))).await;
    let slow = lease(&world).await;
    world.clock.advance(Span::from_secs(3_600));
    let job = world.reaches(id, State::Scheduled).await;
    assert_eq!((job.error.unwrap().code.as_str(), job.crashes), ("Timeout", 0));
    assert_eq!(finish(&world, slow).await, Err(Lost::Ended(State::Scheduled)));
}

#[tokio::test]
async fn a_lease_outlives_the_server() {
    let world = world().await;
    let id = world.submit(job(None)).await;
    let patient = lease(&world).await;
    let next = World::start_on(world.store.clone(), world.clock.clone(), Registry::new()).await;
    assert!(next.engine.declaration(&name("f")).is_some(), "declarations are kept");
    assert_eq!(next.engine.job(id).await.unwrap().unwrap().crashes, 0);
    assert_eq!(finish(&next, patient).await, Ok(State::Completed));
}

#[tokio::test]
async fn jobs_that_nobody_takes_from_the_hand_are_given_back() {
    let world = world().await;
    let id = world.submit(job(None)).await;
    drop(world.engine.lease(want()).await.unwrap());
    let job = world.reaches(id, State::Submitted).await;
    assert_eq!((job.attempt, job.crashes), (1, 0));
    let (again, token) = lease(&world).await;
    assert_eq!((again, token), (id, Token(2)));
}

#[tokio::test]
async fn what_comes_due_goes_to_as_many_waiting_workers_as_it_takes() {
    let world = world().await;
    let mut waiting = JoinSet::new();
    for _ in 0..4 {
        let engine = world.engine.clone();
        let want = Want { wait: Span::from_secs(3_600), ..want() };
        waiting.spawn(async move {
            let hand = engine.lease(want).await.unwrap();
            let id = hand.jobs()[0].job.id;
            hand.keep();
            id
        });
    }
    // All of them have looked and found nothing.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let later = Start::After(Span::from_secs(60));
    let due = |_| NewJob { spec: Spec { start: later, ..spec("f") }, ..job(None) };
    let jobs = world.engine.submit((0..3).map(due).collect(), None).await.unwrap();
    world.clock.advance(Span::from_secs(60));
    let mut leased = Vec::new();
    while leased.len() < jobs.len() {
        leased.push(waiting.join_next().await.unwrap().unwrap());
    }
    leased.sort();
    assert_eq!(leased, jobs.iter().map(|job| job.id).collect::<Vec<_>>());
    assert!(waiting.try_join_next().is_none(), "the fourth goes on waiting");
}

#[tokio::test]
async fn a_final_failure_fails_the_job_at_once() {
    let world = world().await;
    let id = world.submit(job(None)).await;
    let (_, token) = lease(&world).await;
    let outcome = Err(Fault::last("Broken", "it never works"));
    let ended = world.engine.finish(vec![Ending { id, token, outcome }]).await.unwrap();
    assert_eq!(ended, [Ok(State::Failed)]);
    assert_eq!(world.ended(id).await.error.unwrap().code, "Broken");
}

#[tokio::test]
async fn the_leases_of_the_servers_own_workers_cannot_be_ended_from_outside() {
    let (word, told) = std::sync::mpsc::channel();
    let (flow, mut begins) = world::Scripted::new([world::Act::UntilTold(told)]);
    let world = World::with_flow(flow).await;
    let id = world.submit(world::job(1)).await;
    begins.recv().await.unwrap();
    assert_eq!(finish(&world, (id, Token(1))).await, Err(Lost::Ended(State::Running)));
    let beat = world.engine.heartbeat(vec![(id, Token(1), None)]).await.unwrap();
    assert_eq!(beat, [Err(Lost::Ended(State::Running))]);
    word.send(()).unwrap();
    assert_eq!(world.ended(id).await.state, State::Completed);
}
