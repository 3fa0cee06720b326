//! A small world for the engine's tests: a clock that is moved by hand, a store that can be cut
//! off, flows that do as they are told.
#![allow(dead_code, unused_imports, reason = "each test file uses its part of the world")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cut;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use jobmill_engine::chance::Chance;
use jobmill_engine::clock::Clock;
use jobmill_engine::{Config, Engine, FlowCard, Registry};
use jobmill_flow::{Flow, Work};
use jobmill_model::job::{Backoff, NewJob, Spec};
use jobmill_model::queue::Name;
use jobmill_model::{Fault, Job, JobId, Problem, Span, State, Timestamp, Value};
use jobmill_store::Store;
use jobmill_store::memory::MemoryStore;
use parking_lot::Mutex;
use tokio::sync::watch;

pub(crate) use cut::CutStore;

/// Real time that no test comes near; a wait that long would be a hang.
pub(crate) const LONG: Span = Span::from_secs(86_400 * 365);

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(crate) struct HandClock(watch::Sender<Timestamp>);

impl Default for HandClock {
    fn default() -> Self {
        Self(watch::Sender::new(Timestamp::from_millis(1_800_000_000_000)))
    }
}

impl HandClock {
    pub(crate) fn advance(&self, span: Span) {
        self.0.send_modify(|now| *now = now.after(span));
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now().as_millis().unsigned_abs())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let mut time = self.0.subscribe();
        Box::pin(async move {
            // An error means that the clock is gone, and with it the test.
            let _ = time.wait_for(|now| *now >= at).await;
        })
    }
}

/// The same numbers every time.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Chance for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        let mut state = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in buffer {
            state ^= state >> 29;
            state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    }
}

/// What a [`Scripted`] flow does in one attempt.
pub(crate) enum Act {
    Answer(Value),
    Fail(Fault),
    Panic,
    /// Waits until the flow is asked to stop, then says so.
    UntilStopped,
    /// Waits until the test sends a word.
    UntilTold(std::sync::mpsc::Receiver<()>),
}

/// A flow that does what its script says, one act an attempt, and tells of each begin.
pub(crate) struct Scripted {
    script: Mutex<VecDeque<Act>>,
    begun: tokio::sync::mpsc::UnboundedSender<Value>,
}

impl Scripted {
    pub(crate) fn new(
        acts: impl IntoIterator<Item = Act>,
    ) -> (Arc<Self>, tokio::sync::mpsc::UnboundedReceiver<Value>) {
        let (begun, begins) = tokio::sync::mpsc::unbounded_channel();
        let script = Mutex::new(acts.into_iter().collect());
        (Arc::new(Self { script, begun }), begins)
    }
}

impl Flow for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }

    fn about(&self) -> &str {
        "Does as the test says."
    }

    fn input_schema(&self) -> Value {
        Value::Bool(true)
    }

    fn params_schema(&self) -> Value {
        Value::Bool(true)
    }

    fn check(&self, input: &Value, _params: &Value) -> Vec<Problem> {
        let bad = input.as_str() == Some("bad");
        bad.then(|| Problem::new("/input", "is bad")).into_iter().collect()
    }

    fn run(&self, work: Work<'_>) -> Result<(), Fault> {
        let act = self.script.lock().pop_front().unwrap_or(Act::Answer(work.input.clone()));
        let _ = self.begun.send(work.input.clone());
        work.watch.progress(1, 2, "half way");
        match act {
            Act::Answer(value) => jobmill_flow::output::write_value(work.output, &value),
            Act::Fail(fault) => Err(fault),
            Act::Panic => panic!("as the script says"),
            Act::UntilStopped => {
                while !work.watch.stopped() {
                    std::thread::yield_now();
                }
                Err(Fault::cancelled())
            }
            Act::UntilTold(word) => {
                let _ = word.recv();
                work.watch.progress(2, 2, "all of it");
                jobmill_flow::output::write_value(work.output, work.input)
            }
        }
    }
}

/// An engine on a memory store with a clock that is moved by hand.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) clock: HandClock,
    pub(crate) store: Arc<MemoryStore>,
}

impl World {
    pub(crate) async fn with_flow(flow: Arc<dyn Flow>) -> Self {
        Self::start(Registry::new().with_flow(flow).unwrap()).await
    }

    /// With a flow that does these acts; it tells of each input as it begins.
    pub(crate) async fn scripted(
        acts: impl IntoIterator<Item = Act>,
    ) -> (Self, tokio::sync::mpsc::UnboundedReceiver<Value>) {
        let (flow, begins) = Scripted::new(acts);
        (Self::with_flow(flow).await, begins)
    }

    pub(crate) async fn start(registry: Registry) -> Self {
        Self::start_on(Arc::default(), HandClock::default(), registry).await
    }

    pub(crate) async fn start_on(
        store: Arc<MemoryStore>,
        clock: HandClock,
        registry: Registry,
    ) -> Self {
        let engine = engine_on(store.clone(), &clock, registry).await;
        Self { engine, clock, store }
    }

    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn submit(&self, job: NewJob) -> JobId {
        self.engine.submit(vec![job], None).await.unwrap()[0].id
    }

    /// The job once it has ended.
    pub(crate) async fn ended(&self, id: JobId) -> Job {
        let job = self.engine.wait(id, LONG).await.unwrap().unwrap();
        assert!(job.state.is_final(), "{job:?}");
        job
    }

    /// The job once it is in this state, as soon as the store says so.
    pub(crate) async fn reaches(&self, id: JobId, state: State) -> Job {
        loop {
            let job = self.engine.job(id).await.unwrap().unwrap();
            if job.state == state {
                return job;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn result(&self, id: JobId) -> Value {
        result_of(&*self.store, id).await
    }
}

pub(crate) async fn engine_on(
    store: Arc<dyn Store>,
    clock: &HandClock,
    registry: Registry,
) -> Engine {
    let config = Config { workers: 2, grace: Span::from_secs(10), ..Config::default() };
    // Each process of a test has numbers of its own, or two would share their instance id.
    static LIVES: AtomicU64 = AtomicU64::new(0);
    let chance = Arc::new(Counter(AtomicU64::new(LIVES.fetch_add(1 << 32, Ordering::Relaxed))));
    Engine::start(store, registry, Arc::new(clock.clone()), chance, config).await.unwrap()
}

pub(crate) async fn result_of(store: &dyn Store, id: JobId) -> Value {
    let shape = store.output_extent(id).await.unwrap().expect("the job has a result").shape;
    let chunks = store.output_read(id, 0, usize::MAX).await.unwrap();
    Value::from_json(jobmill_flow::output::join(shape, &chunks).as_bytes()).unwrap()
}

pub(crate) fn spec(flow: &str) -> Spec {
    let backoff = Backoff::fixed(Span::from_secs(5));
    Spec { backoff, ..Spec::new(Name::new(flow).unwrap()) }
}

pub(crate) fn job(input: impl Into<Value>) -> NewJob {
    NewJob { spec: spec("scripted"), input: input.into(), params: Value::map::<&str>([]) }
}

pub(crate) fn card(name: &str) -> FlowCard {
    FlowCard {
        name: Name::new(name).unwrap(),
        about: "Many steps.".to_owned(),
        input_schema: Value::Bool(true),
        params_schema: Value::Bool(true),
    }
}
