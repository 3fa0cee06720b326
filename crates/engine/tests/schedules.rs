//! What the engine promises of schedules.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::sync::Arc;
use std::sync::mpsc;

use jobmill_engine::{Engine, Put, Registry, ScheduleError, SubmitError};
use jobmill_model::queue::Name;
use jobmill_model::schedule::{
    ClockChange, Missed, Overlap, Rules, Schedule, Template, Timetable, Zone,
};
use jobmill_model::{Job, Json, Span, State, Timestamp};
use jobmill_store::memory::MemoryStore;
use jobmill_store::{JobQuery, Jobs, Schedules};
use world::{Act, CutStore, HandClock, Scripted, World, engine_on, spec};

/// Every minute; the clock of these tests begins at a full one.
fn rules(missed: Missed, overlap: Overlap) -> Rules {
    let cron = "* * * * *".parse().unwrap();
    let timetable = Timetable { cron, zone: Zone::utc(), clock_change: ClockChange::Fire };
    let input = Json::trusted("7");
    let job = Template { spec: spec("scripted"), input, params: Json::trusted("{}") };
    Rules { timetable, missed, missed_limit: 100, overlap, job }
}

fn name() -> Name {
    Name::new("nightly").unwrap()
}

async fn put(engine: &Engine, rules: Rules) -> Schedule {
    match engine.schedule_put(name(), rules, false, true).await.unwrap() {
        Put::Created(schedule) => schedule,
        other => panic!("{other:?}"),
    }
}

/// The jobs of ticks, by the tick.
async fn ticked(store: &dyn Jobs) -> Vec<(Timestamp, Job)> {
    let query = JobQuery { limit: 1_000, ..JobQuery::default() };
    let jobs = store.job_list(&query).await.unwrap().jobs;
    let tick = |job: &Job| {
        let tags = job.spec.tags.iter();
        let mut ticks = tags.filter_map(|tag| tag.as_str().strip_prefix("tick:"));
        ticks.next().map(|tick| tick.parse().unwrap())
    };
    let mut found: Vec<_> = jobs.into_iter().filter_map(|job| Some((tick(&job)?, job))).collect();
    found.sort_by_key(|(tick, _)| *tick);
    found
}

/// Waits until the schedule has come to something.
async fn until(world: &World, reached: impl Fn(&Schedule) -> bool) -> Schedule {
    loop {
        let schedule = world.engine.schedule(&name()).await.unwrap().unwrap();
        if reached(&schedule) {
            return schedule;
        }
        tokio::task::yield_now().await;
    }
}

fn minutes(count: u64) -> Span {
    Span::from_secs(60 * count)
}

#[tokio::test]
async fn each_tick_makes_one_job_at_its_time() {
    let (flow, mut begun) = Scripted::new([]);
    let world = World::with_flow(flow).await;
    let start = world.clock_now();
    let schedule = put(&world.engine, rules(Missed::Once, Overlap::Allow)).await;
    assert_eq!(schedule.next_at, Some(start.after(minutes(1))));
    for count in 1..=3 {
        world.clock.advance(minutes(1));
        begun.recv().await.unwrap();
        let tick = start.after(minutes(count));
        let schedule = until(&world, |it| it.next_at == Some(tick.after(minutes(1)))).await;
        let last = schedule.last.unwrap();
        assert_eq!(last.tick, tick);
        let job = world.ended(last.job).await;
        assert_eq!((job.state, job.created_at), (State::Completed, tick));
        let tags: Vec<_> = job.spec.tags.iter().map(Name::as_str).collect();
        assert_eq!(tags, ["schedule:nightly", &format!("tick:{tick}")]);
    }
    assert_eq!(ticked(&*world.store).await.len(), 3);
}

#[tokio::test]
async fn a_jump_of_the_clock_is_noticed_and_counts_as_the_rule_says() {
    for (missed, want) in [(Missed::Skip, 1), (Missed::Once, 1), (Missed::All, 100)] {
        let (flow, _begun) = Scripted::new([]);
        let world = World::with_flow(flow).await;
        put(&world.engine, rules(missed, Overlap::Allow)).await;
        world.clock.advance(Span::from_secs(86_430));
        let now = world.clock_now();
        until(&world, |schedule| schedule.next_at > Some(now)).await;
        let jobs = ticked(&*world.store).await;
        // The last tick is half a minute late, which is in time.
        assert_eq!(jobs.len(), want, "{missed:?}");
    }
}

#[tokio::test]
async fn a_queued_tick_waits_until_the_job_before_has_ended() {
    let (tell, told) = mpsc::channel();
    let (flow, mut begun) = Scripted::new([Act::UntilTold(told)]);
    let world = World::with_flow(flow).await;
    put(&world.engine, rules(Missed::Once, Overlap::Queue)).await;
    world.clock.advance(minutes(1));
    begun.recv().await.unwrap();
    for queued in 1..=2 {
        world.clock.advance(minutes(1));
        until(&world, |schedule| schedule.queued.len() == queued).await;
    }
    assert_eq!(ticked(&*world.store).await.len(), 1);
    tell.send(()).unwrap();
    begun.recv().await.unwrap();
    begun.recv().await.unwrap();
    until(&world, |schedule| schedule.queued.is_empty()).await;
    let jobs = ticked(&*world.store).await;
    assert_eq!(jobs.len(), 3);
    for pair in jobs.windows(2) {
        let ended = world.ended(pair[0].1.id).await.finished_at.unwrap();
        assert!(ended <= pair[1].1.created_at, "one after the other");
    }
}

#[tokio::test]
async fn a_tick_is_skipped_while_the_job_before_is_unfinished() {
    let (tell, told) = mpsc::channel();
    let (flow, mut begun) = Scripted::new([Act::UntilTold(told)]);
    let world = World::with_flow(flow).await;
    put(&world.engine, rules(Missed::Once, Overlap::Skip)).await;
    world.clock.advance(minutes(1));
    begun.recv().await.unwrap();
    world.clock.advance(minutes(1));
    let tick = world.clock_now();
    until(&world, |schedule| schedule.skipped.is_some_and(|skipped| skipped.tick == tick)).await;
    tell.send(()).unwrap();
    world.ended(ticked(&*world.store).await[0].1.id).await;
    world.clock.advance(minutes(1));
    begun.recv().await.unwrap();
    assert_eq!(ticked(&*world.store).await.len(), 2);
}

#[tokio::test]
async fn a_schedule_whose_job_cannot_be_submitted_says_so_and_goes_on() {
    let (store, clock) = (Arc::new(MemoryStore::new()), HandClock::default());
    let (flow, _begun) = Scripted::new([]);
    let registry = Registry::new().with_flow(flow).unwrap();
    let first = World::start_on(store.clone(), clock.clone(), registry).await;
    put(&first.engine, rules(Missed::Once, Overlap::Allow)).await;
    first.engine.drain().await;
    let world = World::start_on(store.clone(), clock.clone(), Registry::new()).await;
    for _ in 0..2 {
        clock.advance(minutes(1));
        let now = world.clock_now();
        let seen = |schedule: &Schedule| schedule.misfire.as_ref().map(|it| it.tick) == Some(now);
        let schedule = until(&world, seen).await;
        assert_eq!(schedule.misfire.unwrap().message, "unknown flow \"scripted\"");
        assert_eq!(schedule.next_at, Some(now.after(minutes(1))));
    }
    assert!(ticked(&*store).await.is_empty());
    world.engine.drain().await;
    let (flow, mut begun) = Scripted::new([]);
    let world = World::start_on(store, clock, Registry::new().with_flow(flow).unwrap()).await;
    world.clock.advance(minutes(1));
    begun.recv().await.unwrap();
    until(&world, |schedule| schedule.misfire.is_none()).await;
}

#[tokio::test]
async fn a_schedule_for_nothing_that_can_run_is_refused() {
    let (flow, _begun) = Scripted::new([]);
    let world = World::with_flow(flow).await;
    let mut bad = rules(Missed::Once, Overlap::Allow);
    bad.job.input = Json::trusted("\"bad\"");
    let refused = world.engine.schedule_put(name(), bad.clone(), false, false).await;
    assert!(matches!(refused, Err(ScheduleError::Submit(SubmitError::Invalid(_)))), "{refused:?}");
    bad.job.spec = spec("scriptd");
    let refused = world.engine.schedule_put(name(), bad, false, false).await;
    let Err(ScheduleError::Submit(SubmitError::UnknownFlow { near, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(near.as_deref(), Some("scripted"));
    put(&world.engine, rules(Missed::Once, Overlap::Allow)).await;
    let again = world.engine.schedule_put(name(), rules(Missed::All, Overlap::Skip), true, true);
    assert_eq!(again.await, Err(ScheduleError::Exists));
}

#[tokio::test]
async fn a_schedule_at_rest_does_not_tick_but_can_be_triggered() {
    let (flow, mut begun) = Scripted::new([]);
    let world = World::with_flow(flow).await;
    put(&world.engine, rules(Missed::All, Overlap::Allow)).await;
    let resting = world.engine.schedule_rest(&name(), true).await.unwrap().unwrap();
    assert_eq!(resting.next_at, None);
    world.clock.advance(minutes(10));
    let job = world.engine.schedule_trigger(&name(), None).await.unwrap().unwrap();
    begun.recv().await.unwrap();
    assert_eq!(job.spec.tags, [Name::new("schedule:nightly").unwrap()]);
    assert_eq!(world.ended(job.id).await.state, State::Completed);
    let awake = world.engine.schedule_rest(&name(), false).await.unwrap().unwrap();
    assert_eq!(awake.next_at, Some(world.clock_now().after(minutes(1))));
    assert!(ticked(&*world.store).await.is_empty());
    assert!(world.engine.schedule_delete(&name()).await.unwrap());
    assert_eq!(world.engine.schedule_trigger(&name(), None).await.unwrap(), None);
    assert_eq!(world.engine.schedule_rest(&name(), true).await.unwrap(), None);
}

/// One life of a process that is killed at a write: ten minutes pass in it.
fn live(store: &Arc<MemoryStore>, clock: &HandClock, writes: i64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let cut = Arc::new(CutStore::new(store.clone(), writes));
    runtime.block_on(async {
        let (flow, _begun) = Scripted::new([]);
        let registry = Registry::new().with_flow(flow).unwrap();
        let engine = engine_on(cut.clone(), clock, registry).await;
        let world = World { engine, clock: clock.clone(), store: store.clone() };
        let pass = async {
            for _ in 0..10 {
                clock.advance(minutes(1));
                let now = clock_of(clock);
                until(&world, |schedule| schedule.next_at > Some(now)).await;
            }
        };
        tokio::select! {
            () = cut.until_cut() => {}
            () = pass => {}
        }
    });
    runtime.shutdown_background();
}

fn clock_of(clock: &HandClock) -> Timestamp {
    jobmill_engine::clock::Clock::now(clock)
}

#[test]
fn no_tick_is_lost_or_repeated_wherever_the_process_dies() {
    for overlap in [Overlap::Allow, Overlap::Queue] {
        let (store, clock) = (Arc::new(MemoryStore::new()), HandClock::default());
        let start = clock_of(&clock);
        let schedule = Schedule::new(name(), rules(Missed::All, overlap), false, start);
        let write = jobmill_store::ScheduleWrite { schedule, jobs: vec![], at: start };
        futures::executor::block_on(store.schedule_write(vec![write])).unwrap();
        (0..30).for_each(|writes| live(&store, &clock, writes));
        live(&store, &clock, i64::MAX);
        let passed = clock_of(&clock).since(start).as_millis() / 60_000;
        let (schedule, jobs) = futures::executor::block_on(async {
            let schedule = store.schedule_get(&name()).await.unwrap().unwrap();
            (schedule, ticked(&*store).await)
        });
        let mut ticks: Vec<Timestamp> = jobs.into_iter().map(|(tick, _)| tick).collect();
        ticks.extend(schedule.queued);
        let want: Vec<_> = (1..=passed).map(|count| start.after(minutes(count))).collect();
        assert!(passed >= 40, "{passed}");
        assert_eq!(ticks, want, "{overlap:?}");
    }
}
