//! What the engine promises of machines: journal, resumption, parking, signals.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jobmill_engine::Registry;
use jobmill_model::job::{NewJob, Spec};
use jobmill_model::machine::{
    Begin, Effect, EffectNumber, Machine, OpCall, Outcome, Program, Step, Then,
};
use jobmill_model::queue::Name;
use jobmill_model::{Fault, JobId, Json, Span, State, Timestamp, Value};
use jobmill_store::Journals;
use jobmill_store::memory::MemoryStore;
use parking_lot::Mutex;
use world::{CutStore, HandClock, World, card, engine_on, result_of, spec};

/// What one branch of a [`Branching`] machine does next.
#[derive(Clone)]
enum Do {
    Call(&'static str),
    Sleep(Span),
    Signal(&'static str),
}

/// Branches that run side by side; the result lists what came back to each.
struct Branching {
    branches: Vec<Vec<Do>>,
}

impl Program for Branching {
    fn machine(&self, _begin: Begin) -> Box<dyn Machine> {
        let got = vec![Vec::new(); self.branches.len()];
        let clocks = vec![None; self.branches.len()];
        let (next, asked) = (0, BTreeMap::new());
        Box::new(Run { branches: self.branches.clone(), got, clocks, next, asked })
    }
}

struct Run {
    branches: Vec<Vec<Do>>,
    got: Vec<Vec<Value>>,
    clocks: Vec<Option<Timestamp>>,
    next: u64,
    asked: BTreeMap<u64, usize>,
}

impl Run {
    fn ask(&mut self, branch: usize) -> Option<(EffectNumber, Effect)> {
        let place = self.got[branch].len();
        let effect = match (self.branches[branch].get(place)?, self.clocks[branch].take()) {
            (Do::Call(op), _) => {
                let input = Value::from(format!("{branch}.{place}"));
                Effect::Op(OpCall { op: Name::trusted(*op), input })
            }
            (Do::Sleep(_), None) => Effect::Clock,
            (Do::Sleep(span), Some(now)) => Effect::Sleep { until: now.after(*span) },
            (Do::Signal(name), _) => Effect::Signal { name: Name::trusted(*name), until: None },
        };
        let number = self.next;
        self.next += 1;
        self.asked.insert(number, branch);
        Some((EffectNumber(number), effect))
    }

    fn step(&mut self, effects: Vec<(EffectNumber, Effect)>) -> Step {
        let then = if self.asked.is_empty() {
            Then::End(Ok(Value::list(self.got.iter().cloned().map(Value::from))))
        } else {
            Then::Wait
        };
        Step { effects, then }
    }
}

impl Machine for Run {
    fn start(&mut self) -> Step {
        let effects = (0..self.branches.len()).filter_map(|branch| self.ask(branch)).collect();
        self.step(effects)
    }

    fn fold(&mut self, number: EffectNumber, outcome: Outcome) -> Step {
        let branch = self.asked.remove(&number.0).unwrap();
        match outcome {
            Outcome::Clock(now) => self.clocks[branch] = Some(now),
            Outcome::Done(value) | Outcome::Signal(value) => self.got[branch].push(value),
            Outcome::Woken => self.got[branch].push(Value::from("slept")),
            Outcome::Failed { code, message } => {
                return Step {
                    effects: Vec::new(),
                    then: Then::End(Err(Fault::last(code, message))),
                };
            }
        }
        let effects = self.ask(branch).into_iter().collect();
        self.step(effects)
    }

    fn go_on(&mut self) -> Step {
        unreachable!("it never pauses")
    }
}

/// Every call that an op has had, in order.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<(String, String)>>>);

impl Calls {
    fn inputs(&self) -> Vec<String> {
        self.0.lock().iter().map(|(input, _)| input.clone()).collect()
    }
}

fn registry(branches: Vec<Vec<Do>>, calls: &Calls) -> Registry {
    let calls = calls.clone();
    Registry::new()
        .with_program(card("branching"), Arc::new(Branching { branches }))
        .unwrap()
        .with_op("echo", move |input, context| {
            let input_text = input.as_str().unwrap_or_default().to_owned();
            calls.0.lock().push((input_text, context.idempotency_key.to_owned()));
            Ok(input.clone())
        })
        .unwrap()
        .with_op("break", |_, _| Err(Fault::last("Broken", "does not work")))
        .unwrap()
}

fn branching() -> NewJob {
    NewJob { spec: spec("branching"), input: Value::Null, params: Value::map::<&str>([]) }
}

fn two_branches() -> Vec<Vec<Do>> {
    let (call, nap) = (Do::Call("echo"), Do::Sleep(Span::from_secs(1)));
    vec![vec![call.clone(), nap, call.clone()], vec![call.clone(), call.clone(), call]]
}

const TWO_BRANCHES_RESULT: &str = r#"[["0.0","slept","0.2"],["1.0","1.1","1.2"]]"#;

/// Moves the clock whenever the job is parked, until it has ended.
async fn run_through(world: &World, id: JobId) -> State {
    loop {
        let job = world.engine.job(id).await.unwrap().unwrap();
        if job.state.is_final() {
            return job.state;
        }
        if job.waiting_for.is_some() {
            world.clock.advance(Span::from_secs(1));
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn branches_run_side_by_side_and_the_result_is_recorded() {
    let calls = Calls::default();
    let world = World::start(registry(two_branches(), &calls)).await;
    let id = world.submit(branching()).await;
    assert_eq!(run_through(&world, id).await, State::Completed);
    assert_eq!(world.result(id).await.to_string(), TWO_BRANCHES_RESULT);
}

#[tokio::test]
async fn a_machine_without_effects_ends_at_once() {
    let world = World::start(registry(vec![vec![]], &Calls::default())).await;
    let id = world.submit(branching()).await;
    assert_eq!(world.ended(id).await.state, State::Completed);
}

#[tokio::test]
async fn an_uncaught_failure_of_an_effect_is_final() {
    let world = World::start(registry(vec![vec![Do::Call("break")]], &Calls::default())).await;
    let id = world.submit(branching()).await;
    let failed = world.ended(id).await;
    assert_eq!((failed.state, failed.error.unwrap().code.as_str()), (State::Failed, "Broken"));
}

#[tokio::test]
async fn a_machine_that_only_waits_holds_no_worker() {
    let calls = Calls::default();
    let nap = vec![Do::Sleep(Span::from_secs(3_600)), Do::Call("echo")];
    let world = World::start(registry(vec![nap], &calls)).await;
    let ids: Vec<_> = {
        let jobs = (0..20).map(|_| branching()).collect();
        world.engine.submit(jobs, None).await.unwrap().iter().map(|job| job.id).collect()
    };
    for id in &ids {
        while world.engine.job(*id).await.unwrap().unwrap().waiting_for.is_none() {
            tokio::task::yield_now().await;
        }
    }
    let job = world.engine.job(ids[0]).await.unwrap().unwrap();
    assert_eq!(job.state, State::Running);
    assert!(job.waiting_for.unwrap().starts_with("a timer until 2027-"));
    assert_eq!(world.engine.under_way(), 0);
    world.clock.advance(Span::from_secs(3_600));
    for id in ids {
        assert_eq!(world.ended(id).await.attempt, 1);
    }
    assert_eq!(calls.inputs().len(), 20);
}

#[tokio::test]
async fn a_signal_wakes_a_parked_machine_and_one_that_came_early_is_kept() {
    let branch = vec![Do::Signal("go"), Do::Signal("early")];
    let world = World::start(registry(vec![branch], &Calls::default())).await;
    let id = world.submit(branching()).await;
    while world.engine.job(id).await.unwrap().unwrap().waiting_for.is_none() {
        tokio::task::yield_now().await;
    }
    for (name, text) in [("early", "\"second\""), ("go", "\"first\"")] {
        world.engine.signal(id, &Name::trusted(name), &Json::trusted(text)).await.unwrap();
    }
    assert_eq!(world.ended(id).await.state, State::Completed);
    assert_eq!(world.result(id).await.to_string(), r#"[["first","second"]]"#);
}

#[tokio::test]
async fn a_parked_machine_is_cancelled_at_once_and_stays_so() {
    let nap = vec![Do::Sleep(Span::from_secs(5)), Do::Call("echo")];
    let calls = Calls::default();
    let world = World::start(registry(vec![nap], &calls)).await;
    let id = world.submit(branching()).await;
    while world.engine.job(id).await.unwrap().unwrap().waiting_for.is_none() {
        tokio::task::yield_now().await;
    }
    world.engine.cancel(&[id]).await.unwrap();
    world.clock.advance(Span::from_secs(5));
    let other = world.submit(NewJob { spec: spec("branching"), ..branching() }).await;
    run_through(&world, other).await;
    assert_eq!(world.engine.job(id).await.unwrap().unwrap().state, State::Cancelled);
    assert_eq!(calls.inputs().len(), 1);
}

#[tokio::test]
async fn a_machine_that_outlives_its_time_limit_fails() {
    let nap = vec![Do::Sleep(Span::from_secs(60))];
    let world = World::start(registry(vec![nap], &Calls::default())).await;
    let limited = Spec { timeout: Some(Span::from_secs(5)), ..spec("branching") };
    let id = world.submit(NewJob { spec: limited, ..branching() }).await;
    while world.engine.job(id).await.unwrap().unwrap().waiting_for.is_none() {
        tokio::task::yield_now().await;
    }
    world.clock.advance(Span::from_secs(5));
    assert_eq!(world.ended(id).await.error.unwrap().code, "Timeout");
}

#[tokio::test]
async fn a_changed_program_fails_its_old_jobs_and_calls_nothing() {
    let store = Arc::new(MemoryStore::default());
    let clock = HandClock::default();
    let nap = || Do::Sleep(Span::from_secs(5));
    let before = registry(vec![vec![Do::Call("echo"), nap()]], &Calls::default());
    let world = World::start_on(store.clone(), clock.clone(), before).await;
    let id = world.submit(branching()).await;
    while world.engine.job(id).await.unwrap().unwrap().waiting_for.is_none() {
        tokio::task::yield_now().await;
    }
    world.engine.drain().await;
    let calls = Calls::default();
    let after = registry(vec![vec![nap(), Do::Call("echo")]], &calls);
    let world = World::start_on(store, clock, after).await;
    world.clock.advance(Span::from_secs(5));
    assert_eq!(world.ended(id).await.error.unwrap().code, "journal_mismatch");
    assert_eq!(calls.inputs(), [""; 0]);
}

/// One life of a process: it performs the job until its store is cut off or the job has ended.
fn live(store: &Arc<MemoryStore>, clock: &HandClock, calls: &Calls, writes: i64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let cut = Arc::new(CutStore::new(store.clone(), writes));
    let (clock, calls) = (clock.clone(), calls.clone());
    runtime.block_on(async {
        let engine = engine_on(cut.clone(), &clock, registry(two_branches(), &calls)).await;
        let world = World { engine, clock: clock.clone(), store: store.clone() };
        let id = match world.engine.jobs(&all_jobs()).await.unwrap().jobs.first() {
            Some(job) => job.id,
            None => world.submit(branching()).await,
        };
        tokio::select! {
            () = cut.until_cut() => {}
            _ = run_through(&world, id) => {}
        }
    });
    runtime.shutdown_background();
}

fn all_jobs() -> jobmill_store::JobQuery {
    jobmill_store::JobQuery { limit: 10, ..Default::default() }
}

async fn committed(store: &MemoryStore, id: JobId) -> BTreeSet<String> {
    let entries = store.journal_read(id, 0, 1_000).await.unwrap();
    let inputs = entries.into_iter().filter_map(|entry| match entry.outcome {
        Outcome::Done(Value::String(input)) => Some(input.to_string()),
        _ => None,
    });
    inputs.collect()
}

#[test]
fn killed_after_any_write_it_resumes_and_repeats_nothing_that_was_committed() {
    for writes in 1.. {
        let (store, clock) = (Arc::new(MemoryStore::default()), HandClock::default());
        let before = Calls::default();
        live(&store, &clock, &before, writes);
        let job = futures::executor::block_on(store_jobs(&store)).remove(0);
        let done = futures::executor::block_on(committed(&store, job.id));
        let finished = job.state == State::Completed;
        let after = Calls::default();
        live(&store, &clock, &after, i64::MAX);
        let (ended, result) = futures::executor::block_on(async {
            (store_jobs(&store).await.remove(0), result_of(&*store, job.id).await)
        });
        assert_eq!(ended.state, State::Completed, "cut after {writes} writes");
        assert_eq!(result.to_string(), TWO_BRANCHES_RESULT, "cut after {writes} writes");
        let repeated: Vec<_> = after.inputs().into_iter().filter(|i| done.contains(i)).collect();
        assert_eq!(repeated, [""; 0], "cut after {writes} writes, {done:?} were committed");
        keys_agree(&before, &after);
        if finished {
            assert!(writes > 8, "the run takes more than {writes} writes");
            return;
        }
    }
}

async fn store_jobs(store: &MemoryStore) -> Vec<jobmill_model::Job> {
    use jobmill_store::Jobs;
    store.job_list(&all_jobs()).await.unwrap().jobs
}

/// An effect that was performed twice carried the same key both times.
fn keys_agree(before: &Calls, after: &Calls) {
    let first: BTreeMap<_, _> = before.0.lock().iter().cloned().collect();
    for (input, key) in after.0.lock().iter() {
        assert!(first.get(input).is_none_or(|known| known == key), "{input} changed its key");
    }
}
