//! What the engine promises of keeping jobs that have ended.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::sync::Arc;

use jobmill_engine::{Config, Engine, Registry};
use jobmill_model::retention::{Keep, Retention};
use jobmill_model::{Fault, JobId, Span, State};
use jobmill_store::Jobs;
use jobmill_store::memory::MemoryStore;
use world::{Act, HandClock, LONG, Scripted, World, job};

const DAY: Span = Span::from_secs(86_400);

/// The same store under a process that keeps so much.
async fn keeping(world: &World, retention: Retention) -> Engine {
    let (flow, _) = Scripted::new([]);
    let registry = Registry::new().with_flow(flow).unwrap();
    let config = Config { workers: 1, retention, ..Config::default() };
    let chance = Arc::new(world::Counter::default());
    let clock = Arc::new(world.clock.clone());
    Engine::start(world.store.clone(), registry, clock, chance, config).await.unwrap()
}

async fn count(engine: &Engine, state: State) -> u64 {
    engine.tally().await.unwrap().0.get(&state).copied().unwrap_or(0)
}

async fn until(engine: &Engine, state: State, wanted: u64) {
    while count(engine, state).await != wanted {
        tokio::task::yield_now().await;
    }
}

/// A world with so many completed jobs, and one that failed.
async fn filled(completed: usize) -> (World, Vec<JobId>, JobId) {
    let acts = [Act::Fail(Fault::last("Broken", "never works"))];
    let (flow, _) = Scripted::new(acts);
    let clock = HandClock::default();
    let store = Arc::<MemoryStore>::default();
    let world = World::start_on(store, clock, Registry::new().with_flow(flow).unwrap()).await;
    let failed = world.submit(job(0)).await;
    assert_eq!(world.ended(failed).await.state, State::Failed);
    let mut ids = Vec::new();
    for number in 0..completed {
        world.clock.advance(Span::from_secs(1));
        let id = world.submit(job(number as i64)).await;
        assert_eq!(world.ended(id).await.state, State::Completed);
        ids.push(id);
    }
    world.engine.drain().await;
    (world, ids, failed)
}

#[tokio::test]
async fn by_default_every_job_is_kept() {
    let (world, ids, _) = filled(3).await;
    world.clock.advance(LONG);
    let engine = keeping(&world, Retention::default()).await;
    world.clock.advance(DAY);
    assert_eq!(count(&engine, State::Completed).await, ids.len() as u64);
}

#[tokio::test]
async fn jobs_that_ended_too_long_ago_are_deleted() {
    let (world, ids, failed) = filled(3).await;
    let keep = Keep { age: Some(DAY), count: None };
    let engine = keeping(&world, Retention { completed: keep, ..Retention::default() }).await;
    // The middle one has been there for a day and a moment; the rounds come once a minute.
    world.clock.advance(Span::from_millis(DAY.as_millis() - 500));
    until(&engine, State::Completed, 1).await;
    let kept = world.store.job_get(&ids).await.unwrap();
    assert_eq!(kept.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true]);
    world.clock.advance(Span::from_secs(60));
    until(&engine, State::Completed, 0).await;
    assert!(engine.job(failed).await.unwrap().is_some(), "the other states are left alone");
}

#[tokio::test]
async fn the_jobs_submitted_last_are_kept_by_number() {
    let (world, ids, failed) = filled(450).await;
    let keep = |count| Keep { age: None, count: Some(count) };
    let retention = Retention { completed: keep(7), failed: keep(0), ..Retention::default() };
    let engine = keeping(&world, retention).await;
    until(&engine, State::Completed, 7).await;
    until(&engine, State::Failed, 0).await;
    let kept = world.store.job_get(&ids).await.unwrap();
    let first_kept = kept.iter().position(Option::is_some);
    assert_eq!(first_kept, Some(443), "the oldest went");
    assert_eq!(engine.job(failed).await.unwrap(), None);
}
