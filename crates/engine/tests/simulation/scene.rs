//! One process without disturbances, moved by hand: for what the simulation has found once.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jobmill_engine::Engine;
use jobmill_engine::outside::Want;
use jobmill_model::job::{Backoff, NewJob, Spec};
use jobmill_model::queue::Name;
use jobmill_model::{JobId, Span, State, Value};
use parking_lot::Mutex;

use crate::simulation::disk::Disk;
use crate::simulation::labour::LENT;
use crate::simulation::life::{Life, Stage};
use crate::simulation::outside::Outside;
use crate::simulation::port::{STRANGER, SimStore};
use crate::simulation::steps::STEPS;
use crate::simulation::time::{Event, Micros, Time};
use crate::simulation::witness::{Seen, Witness};

/// One second.
pub(crate) const SECOND: Micros = 1_000_000;

pub(crate) struct Scene {
    outside: Arc<Outside>,
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) life: Life,
}

impl Scene {
    /// A process that is up; the seed decides how long the disk takes.
    pub(crate) fn new(seed: u64) -> Self {
        crate::simulation::hush();
        let time = Time::new(seed);
        let witness = Arc::new(Mutex::new(Witness::new(time.clone(), true)));
        let disk = Arc::new(Mutex::new(Disk::new(seed, None, time.clone())));
        let outside = Arc::new(Outside { seed, time, witness, present: AtomicU64::new(1) });
        let life = Life::start(1, u64::MAX, &outside, &disk);
        let mut scene = Self { outside, disk, life };
        scene.pass(SECOND);
        scene
    }

    pub(crate) fn engine(&self) -> Engine {
        self.life.engine().expect("the process is up")
    }

    /// Another process's connection to the same store.
    pub(crate) fn stranger(&self) -> SimStore {
        SimStore { disk: self.disk.clone(), life: STRANGER }
    }

    pub(crate) fn jump(&self, millis: i64) {
        self.outside.time.jump(millis);
    }

    /// Everybody does what there is to do, then the next event happens.
    pub(crate) fn step(&mut self) {
        if !self.life.is_frozen {
            self.life.run();
        }
        match self.outside.time.next() {
            Some(Event::Wake(waker)) => waker.wake(),
            Some(Event::Disk(turn)) => {
                let mut witness = self.outside.witness.lock();
                self.disk.lock().turn(turn, &mut witness);
            }
            _ => {}
        }
        let violation = self.outside.witness.lock().violation.take();
        assert!(violation.is_none(), "{violation:?}\n{}", self.story());
    }

    /// Lets so much time pass.
    pub(crate) fn pass(&mut self, micros: Micros) {
        let over = self.outside.time.now() + micros;
        while self.outside.time.now() < over {
            self.step();
        }
    }

    /// Lets time pass until something is true of the job.
    pub(crate) fn until(&mut self, id: JobId, is: impl Fn(&Seen) -> bool) {
        let over = self.outside.time.now() + 600 * SECOND;
        while !self.is(id, &is) {
            assert!(self.outside.time.now() < over, "it never comes to that\n{}", self.story());
            self.step();
        }
    }

    pub(crate) fn is(&self, id: JobId, is: impl Fn(&Seen) -> bool) -> bool {
        self.outside.witness.lock().jobs.get(&id).is_some_and(is)
    }

    /// The jobs that are stored.
    pub(crate) fn jobs(&self) -> Vec<(JobId, State)> {
        let witness = self.outside.witness.lock();
        witness.jobs.iter().map(|(id, seen)| (*id, seen.state)).collect()
    }

    pub(crate) fn has_drained(&self) -> bool {
        matches!(*self.life.stage.lock(), Stage::Drained)
    }

    /// How often an op was called.
    pub(crate) fn touches(&self) -> usize {
        self.story().matches(": touch for").count()
    }

    /// What happened, line by line.
    pub(crate) fn story(&self) -> String {
        self.outside.witness.lock().lines.clone().unwrap_or_default().join("\n")
    }

    /// Does something in the process that its caller gives up after so many microseconds.
    pub(crate) fn give_up(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
        patience: Micros,
    ) {
        let patience = self.outside.time.sleep(patience);
        self.life.spawn(async move {
            tokio::select! {
                biased;
                () = work => {}
                () = patience => {}
            }
        });
    }

    /// Has a worker outside lease a job and fall silent.
    pub(crate) fn lend(&self) {
        let want = Want {
            worker: Name::trusted("silent"),
            queue: Name::trusted("default"),
            flows: vec![Name::trusted(LENT)],
            max: 1,
            lease: None,
            wait: Span::ZERO,
        };
        let engine = self.engine();
        self.life.spawn(async move { engine.lease(want).await.expect("it is lent").keep() });
    }

    /// Submits a job and lets it be stored.
    pub(crate) fn submit(&mut self, job: NewJob) -> JobId {
        let (engine, got) = (self.engine(), Arc::new(Mutex::new(None)));
        let sent = got.clone();
        self.life.spawn(async move {
            let jobs = engine.submit(vec![job], None).await.expect("it is stored");
            *sent.lock() = Some(jobs[0].id);
        });
        loop {
            self.step();
            if let Some(id) = *got.lock() {
                return id;
            }
        }
    }
}

/// A job for workers outside.
pub(crate) fn lent() -> NewJob {
    let NewJob { params, .. } = machine(&[]);
    NewJob { spec: Spec::new(Name::trusted(LENT)), input: Value::Null, params }
}

/// A machine of these branches.
pub(crate) fn machine(branches: &[&[&str]]) -> NewJob {
    let branch = |branch: &&[&str]| Value::list(branch.iter().map(|step| Value::from(*step)));
    let steps = Value::list(branches.iter().map(branch));
    let backoff = Backoff::fixed(Span::from_secs(1));
    NewJob {
        spec: Spec { backoff, ..Spec::new(Name::trusted(STEPS)) },
        input: Value::map([("job", Value::from("scene")), ("steps", steps)]),
        params: Value::map::<&str>([]),
    }
}
