//! One life of a server process: its runtime, its engine, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

use jobmill_engine::{Config, Engine};
use jobmill_model::Span;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};

use super::dice::{Dice, DiceChance};
use super::disk::Disk;
use super::outside::{OneThread, Outside};
use super::port::SimStore;
use super::time::SimClock;
use super::witness::MAX_CRASHES;

/// How far a process has come.
#[derive(Clone)]
pub(crate) enum Stage {
    Starting,
    Up(Engine),
    /// The store did not let it start.
    Refused,
    Draining,
    Drained,
}

pub(crate) struct Life {
    pub(crate) number: u64,
    pub(crate) stage: Arc<Mutex<Stage>>,
    /// How many events it lives to see.
    pub(crate) left: u64,
    pub(crate) is_frozen: bool,
    thread: Thread,
}

/// A thread of its own, in name: a runtime that runs until it has nothing left to do.
pub(crate) struct Thread {
    idle: Arc<Idle>,
    runtime: Runtime,
}

/// Notices that the runtime has nothing left to do, which is when it would park its thread.
#[derive(Default)]
struct Idle {
    reached: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Thread {
    pub(crate) fn new() -> Self {
        let idle = Arc::new(Idle::default());
        let parked = idle.clone();
        let runtime = Builder::new_current_thread()
            .on_thread_park(move || {
                parked.reached.store(true, Ordering::Relaxed);
                if let Some(waker) = parked.waker.lock().take() {
                    waker.wake();
                }
            })
            .build()
            .expect("a runtime without drivers needs nothing of the system");
        Self { idle, runtime }
    }

    /// Lets everything run until nobody has anything to do before time passes.
    pub(crate) fn run(&self) {
        self.idle.reached.store(false, Ordering::Relaxed);
        self.runtime.block_on(std::future::poll_fn(|context| {
            if self.idle.reached.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            *self.idle.waker.lock() = Some(context.waker().clone());
            Poll::Pending
        }));
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }
}

impl Life {
    pub(crate) fn start(
        number: u64,
        left: u64,
        outside: &Arc<Outside>,
        disk: &Arc<Mutex<Disk>>,
    ) -> Self {
        let thread = Thread::new();
        let stage = Arc::new(Mutex::new(Stage::Starting));
        thread.spawn(begin(number, outside.clone(), disk.clone(), stage.clone()));
        Self { number, stage, left, is_frozen: false, thread }
    }

    /// Lets everything run until nobody has anything to do before time passes.
    pub(crate) fn run(&self) {
        self.thread.run();
    }

    /// Where tasks of this process run.
    pub(crate) fn runtime(&self) -> Handle {
        self.thread.runtime.handle().clone()
    }

    pub(crate) fn engine(&self) -> Option<Engine> {
        match &*self.stage.lock() {
            Stage::Up(engine) => Some(engine.clone()),
            _ => None,
        }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.thread.spawn(task);
    }

    /// Shuts down in order.
    pub(crate) fn drain(&self) {
        let Some(engine) = self.engine() else { return };
        *self.stage.lock() = Stage::Draining;
        let stage = self.stage.clone();
        self.spawn(async move {
            engine.drain().await;
            *stage.lock() = Stage::Drained;
        });
    }
}

async fn begin(
    number: u64,
    outside: Arc<Outside>,
    disk: Arc<Mutex<Disk>>,
    stage: Arc<Mutex<Stage>>,
) {
    let dice = Dice::new(outside.seed ^ (number << 32), "life");
    let started = Engine::start_with(
        Arc::new(SimStore { disk, life: number }),
        outside.registry(number),
        Arc::new(SimClock(outside.time.clone())),
        Arc::new(DiceChance::new(dice.clone())),
        Config {
            workers: 3,
            max_crashes: MAX_CRASHES,
            grace: Span::from_secs(10),
            ..Config::default()
        },
        OneThread::new(outside.time.clone(), Dice::new(outside.seed ^ number, "performer")),
    );
    let started = started.await;
    *stage.lock() = started.map_or(Stage::Refused, Stage::Up);
}
