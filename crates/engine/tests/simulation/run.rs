//! The simulation of one seed: lives, crashes, the workload, the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::client::{Client, Ledger};
use super::dice::Dice;
use super::disk::Disk;
use super::flaw::Flaw;
use super::labour::Labour;
use super::life::{Life, Stage};
use super::outside::Outside;
use super::plan::{Action, Plan};
use super::time::{Event, Micros, Time};
use super::witness::{Violation, Witness};

/// Every seed has at least so many events.
const EVENTS: usize = 200;

/// What a seed came to.
pub(crate) struct Report {
    pub(crate) events: usize,
    pub(crate) crashes: usize,
    pub(crate) violation: Option<Violation>,
    /// One line per transition, when asked for.
    pub(crate) lines: Vec<String>,
}

pub(crate) struct Simulation {
    pub(super) outside: Arc<Outside>,
    pub(super) disk: Arc<Mutex<Disk>>,
    pub(super) ledger: Arc<Mutex<Ledger>>,
    pub(super) plan: Plan,
    pub(super) labour: Labour,
    parcels: Arc<Vec<super::plan::Parcel>>,
    /// The process that is up, and one that is frozen or thawed, both under their numbers.
    pub(super) lives: Vec<Life>,
    started: u64,
    crashes: usize,
    crashes_wanted: usize,
    plan_is_due: bool,
    /// When there was last no server that could notice anything.
    excused_at: Micros,
    dice: Dice,
}

/// Simulates one seed, on the oracle or on a store with a flaw.
pub(crate) fn run(seed: u64, flaw: Option<Flaw>, verbose: bool) -> Report {
    super::hush();
    let mut simulation = Simulation::new(seed, flaw, verbose);
    simulation.play();
    simulation.finish();
    let lives = std::mem::take(&mut simulation.lives);
    drop(lives);
    let mut witness = simulation.outside.witness.lock();
    Report {
        events: witness.events,
        crashes: simulation.crashes,
        violation: witness.violation.take(),
        lines: witness.lines.take().unwrap_or_default(),
    }
}

impl Simulation {
    fn new(seed: u64, flaw: Option<Flaw>, verbose: bool) -> Self {
        let time = Time::new(seed);
        let witness = Arc::new(Mutex::new(Witness::new(time.clone(), verbose)));
        let disk = Arc::new(Mutex::new(Disk::new(seed, flaw, time.clone())));
        let plan = Plan::new(seed);
        let mut dice = Dice::new(seed, "run");
        let outside = Arc::new(Outside { seed, time, witness, present: AtomicU64::new(0) });
        Self {
            labour: Labour::start(&outside),
            outside,
            disk,
            ledger: Arc::default(),
            parcels: Arc::new(plan.parcels.clone()),
            plan,
            lives: Vec::new(),
            started: 0,
            crashes: 0,
            crashes_wanted: dice.within(3, 6) as usize,
            plan_is_due: false,
            excused_at: 0,
            dice,
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.outside.witness.lock().violation.is_some()
    }

    /// The workload, with crashes, until all of both is done.
    fn play(&mut self) {
        self.outside.time.after(0, Event::Start);
        self.plan_soon();
        while !self.is_broken() && !self.is_played() {
            self.step();
            self.disturb();
            self.age();
        }
    }

    fn is_played(&self) -> bool {
        let present = self.present();
        self.plan.actions.is_empty()
            && self.crashes >= self.crashes_wanted
            && present.is_some_and(|life| life.engine().is_some())
    }

    /// Everybody does what there is to do, then the next event happens.
    pub(super) fn step(&mut self) {
        self.labour.reach(self.present().and_then(|it| Some((it.engine()?, it.runtime()))));
        loop {
            let running = self.lives.iter().filter(|life| !life.is_frozen);
            running.for_each(Life::run);
            if !self.labour.run() {
                break;
            }
        }
        self.check_silence();
        match self.outside.time.next() {
            Some(event) => self.happen(event),
            None => self.outside.witness.lock().broken("nothing is stuck", "nothing is due"),
        }
    }

    /// Workers outside are watched while there is a server that can.
    fn check_silence(&mut self) {
        let is_up = self.present().is_some_and(|life| life.engine().is_some());
        if !is_up || self.disk.lock().is_refusing() {
            self.excused_at = self.outside.time.now();
        }
        self.outside.witness.lock().check_silence(self.excused_at);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake(waker) => waker.wake(),
            Event::Disk(turn) => {
                let mut witness = self.outside.witness.lock();
                self.disk.lock().turn(turn, &mut witness);
            }
            Event::Plan => self.act(),
            Event::Start => self.start(),
            Event::Thaw(number) => {
                let frozen = self.lives.iter_mut().find(|life| life.number == number);
                if let Some(life) = frozen {
                    life.is_frozen = false;
                    self.outside.witness.lock().excuse();
                    self.note(format!("life {number} goes on"));
                }
            }
            Event::Kill(number) => self.kill(number),
        }
    }

    pub(super) fn note(&self, text: String) {
        self.outside.witness.lock().event(|_| text);
    }

    pub(super) fn present(&self) -> Option<&Life> {
        let number = self.outside.present.load(Ordering::Relaxed);
        self.lives.iter().find(|life| life.number == number)
    }

    fn start(&mut self) {
        self.started += 1;
        let left = match self.dice.within(0, 9) {
            0 => self.dice.within(1, 20),
            1..=7 => self.dice.within(20, 400),
            _ => self.dice.within(400, 1_500),
        };
        self.outside.present.store(self.started, Ordering::Relaxed);
        self.outside.witness.lock().excuse();
        self.lives.push(Life::start(self.started, left, &self.outside, &self.disk));
        self.note(format!("life {} starts", self.started));
    }

    fn plan_soon(&mut self) {
        if !self.plan_is_due {
            self.plan_is_due = true;
            let wait = self.plan.actions.front().map_or(50_000, |(gap, _)| *gap);
            self.outside.time.after(wait, Event::Plan);
        }
    }

    /// The senders do their next thing, if there is a server to talk to.
    fn act(&mut self) {
        self.plan_is_due = false;
        let again = std::mem::take(&mut self.ledger.lock().again);
        let Some(client) = self.client() else {
            self.ledger.lock().again = again;
            // A connection is refused; they try again soon.
            self.outside.time.after(30_000, Event::Plan);
            self.plan_is_due = true;
            return;
        };
        let events = self.outside.witness.lock().events;
        if self.plan.actions.len() < 2 && events < EVENTS {
            self.plan.go_on();
        }
        let next = self.plan.actions.pop_front().map(|(_, action)| action);
        for action in again.into_iter().chain(next) {
            let patience = self.dice.percent(15).then(|| self.dice.within(0, 12_000));
            self.send(&client, action, patience);
        }
        self.plan_soon();
    }

    pub(super) fn client(&self) -> Option<Client> {
        let life = self.present()?;
        Some(Client {
            life: life.number,
            engine: life.engine()?,
            outside: self.outside.clone(),
            disk: self.disk.clone(),
            ledger: self.ledger.clone(),
            parcels: self.parcels.clone(),
        })
    }

    fn send(&self, client: &Client, action: Action, patience: Option<u64>) {
        if let Some(life) = self.present() {
            life.spawn(client.clone().act(action, patience));
        }
    }

    /// Small disturbances: a wake-up for nothing, a jump of the clock, a store that refuses.
    fn disturb(&mut self) {
        if self.dice.percent(3) {
            self.outside.time.wake_somebody();
        }
        match self.dice.within(0, 1_499) {
            0..=1 => self.jump(1, 20_000),
            2 => self.jump(20_000, 7_200_000),
            3 => self.jump(-3_600_000, -1),
            4..=5 => self.jump(-3_000, -1),
            6..=9 => {
                let refusal = self.disk.lock().refuse();
                self.outside.witness.lock().excuse();
                self.note(format!("the disk refuses writes {refusal}"));
            }
            _ => {}
        }
    }

    fn jump(&mut self, least: i64, most: i64) {
        let millis = least + self.dice.within(0, (most - least) as u64) as i64;
        self.outside.time.jump(millis);
        self.outside.witness.lock().excuse();
        self.note(format!("the clock jumps by {millis} ms"));
    }

    /// The present process lives to see so many events; then it ends in one way or another.
    fn age(&mut self) {
        let number = self.outside.present.load(Ordering::Relaxed);
        let plan_is_done = self.plan.actions.is_empty();
        let Some(life) = self.lives.iter_mut().find(|life| life.number == number) else { return };
        let stage = life.stage.lock().clone();
        match stage {
            Stage::Refused => return self.crash(),
            Stage::Drained => return self.drained(),
            Stage::Draining => return,
            Stage::Starting | Stage::Up(_) => {}
        }
        life.left = life.left.saturating_sub(1);
        if plan_is_done {
            life.left = life.left.min(40);
        }
        if life.left > 0 || self.crashes >= self.crashes_wanted {
            return;
        }
        self.crashes += 1;
        let is_last = self.crashes == self.crashes_wanted;
        match self.dice.within(0, 99) {
            0..=24 if !is_last && matches!(stage, Stage::Up(_)) => self.freeze(),
            25..=39 if !is_last && matches!(stage, Stage::Up(_)) => {
                self.crashes -= 1;
                self.drain();
            }
            _ => self.crash(),
        }
        if is_last {
            self.lives
                .iter()
                .map(|life| life.number)
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|it| self.kill(it));
        }
    }

    fn drain(&mut self) {
        if let Some(life) = self.present() {
            self.note(format!("life {} shuts down", life.number));
            life.drain();
        }
    }

    /// A process that has shut down in order leaves no lease behind, if the store let it.
    fn drained(&mut self) {
        let number = self.outside.present.load(Ordering::Relaxed);
        self.note(format!("life {number} has shut down"));
        let mut witness = self.outside.witness.lock();
        let left = witness
            .jobs
            .iter()
            .find(|(_, seen)| seen.lease.is_some_and(|lease| lease.life == number));
        if let Some(id) = left.map(|(id, _)| *id).filter(|_| !self.disk.lock().is_refusing()) {
            witness.fails("a shutdown leaves no lease", id, format_args!("is still leased"));
        }
        drop(witness);
        self.crash();
    }

    /// The present process is gone from one instant to the next; another starts soon.
    fn crash(&mut self) {
        let number = self.outside.present.swap(0, Ordering::Relaxed);
        self.kill(number);
        let wait = self.dice.delay(50_000, 2_000_000);
        self.outside.time.after(wait, Event::Start);
    }

    /// The present process stops in the middle of everything and goes on later, as if nothing
    /// had happened, when another has taken its place.
    fn freeze(&mut self) {
        let number = self.outside.present.swap(0, Ordering::Relaxed);
        let others: Vec<_> =
            self.lives.iter().map(|life| life.number).filter(|it| *it != number).collect();
        others.into_iter().for_each(|it| self.kill(it));
        self.lives.iter_mut().for_each(|life| life.is_frozen = true);
        self.ledger.lock().cut_off(number, &self.parcels);
        self.note(format!("life {number} is frozen"));
        let start = self.dice.delay(50_000, 500_000);
        let thaw = start + self.dice.within(0, 1_500_000);
        self.outside.time.after(start, Event::Start);
        self.outside.time.after(thaw, Event::Thaw(number));
        let kill = thaw + self.dice.within(1_000, 1_500_000);
        self.outside.time.after(kill, Event::Kill(number));
    }

    pub(super) fn kill(&mut self, number: u64) {
        let Some(place) = self.lives.iter().position(|life| life.number == number) else { return };
        self.disk.lock().kill(number);
        drop(self.lives.remove(place));
        self.ledger.lock().cut_off(number, &self.parcels);
        self.note(format!("life {number} is gone"));
        self.check_kept();
    }
}
