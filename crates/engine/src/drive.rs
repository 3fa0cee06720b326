//! Drives a machine: folds its journal, performs its effects, commits their outcomes, parks it.
//!
//! An outcome goes into the journal before the machine hears of it, so a machine never acts on
//! something that a crash could undo. Branches do not wait for each other: outcomes that come
//! while others are being committed follow them in order. Readings of the clock wait for the
//! next entry, and are committed at the latest before the next effect that the world can see.
//!
//! A store that refuses to write is asked again until it takes the outcomes: what was done must
//! not be done again because a disk was full for a moment.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesOrdered, FuturesUnordered, StreamExt};
use jobmill_flow::output::{ChunkWriter, write_value};
use jobmill_model::definition::CallLogLevel;
use jobmill_model::machine::{
    Applied, Begin, Effect, EffectNumber, Entry, Fold, Outcome, Program, Seed,
};
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::Name;
use jobmill_model::{Class, Fault, Job, Span, State, Timestamp, Token, Value, limits};
use jobmill_store::{Append, Appended, Park, Parked, Signal, StoreError};
use tokio::sync::oneshot;

use crate::engine::Shared;
use crate::execution;
use crate::ops;
use crate::perform::{Task, end, panicked, timed_out};
use crate::places::Kind;
use crate::programs::NoProgram;
use crate::running::Handle;
use crate::settle::Ending;

/// Entries and signals are read in pages of this many.
const PAGE: usize = 1_000;

/// So many entries are folded on a thread of their own.
const MANY: usize = 50;
/// Turns that a machine takes there before it is looked at whether it is to stop.
const TURNS: u64 = 20;

/// The first and the longest pause while the store cannot write.
const PAUSE_FIRST: Span = Span::from_millis(100);
const PAUSE_LONGEST: Span = Span::from_secs(5);

/// Why a machine's worker lets go of it.
enum Exit {
    /// The machine has ended.
    Ended(Result<Value, Fault>),
    /// It waits for a time or a signal.
    Parked,
    /// The lease is gone: cancelled or taken over.
    Lost,
    /// The process shuts down, or the store cannot be used.
    HandBack,
}

impl From<Fault> for Exit {
    fn from(fault: Fault) -> Self {
        Self::Ended(Err(fault))
    }
}

pub(crate) async fn run(
    shared: &Arc<Shared>,
    program: &dyn Program,
    mut task: Task,
    handle: &Handle,
) {
    let exit = match task.documents() {
        Ok((input, params)) => {
            let begin = Begin { input, params, seed: Seed::of(task.id, task.run) };
            caught(shared, program, (begin, CallLogLevel::Nothing), &task, handle).await
        }
        Err(fault) => fault.into(),
    };
    leave(shared, &task, exit);
}

/// The same for an execution of a definition, whose program is found first.
pub(crate) async fn run_execution(
    shared: &Arc<Shared>,
    definition: &Name,
    mut task: Task,
    handle: &Handle,
) {
    let exit = match execution::load(shared, definition, &mut task).await {
        Ok((program, begin, log)) => caught(shared, &*program, (begin, log), &task, handle).await,
        Err(NoProgram::Fault(fault)) => fault.into(),
        Err(NoProgram::Store(error)) => {
            shared.observer.store_failed("definition_get", &error);
            Exit::HandBack
        }
    };
    leave(shared, &task, exit);
}

/// A panic of the machine is its failure.
async fn caught(
    shared: &Arc<Shared>,
    program: &dyn Program,
    begin: (Begin, CallLogLevel),
    task: &Task,
    handle: &Handle,
) -> Exit {
    let driven = AssertUnwindSafe(drive(shared, program, begin, task, handle));
    driven.catch_unwind().await.unwrap_or_else(|panic| panicked(&*panic).into())
}

fn leave(shared: &Shared, task: &Task, exit: Exit) {
    shared.release_places(Kind::Machine, 1);
    match exit {
        Exit::Ended(outcome) => {
            let made = outcome.and_then(|value| chunks_of(&value));
            end(shared, task, made.map_err(final_fault), None);
        }
        Exit::Parked | Exit::Lost => shared.running.leave(task.id, task.token),
        Exit::HandBack => shared.settler.send(Ending::HandBack(task.id, task.token)),
    }
}

/// A machine that wants to try something again does so itself; its failure is the job's.
fn final_fault(fault: Fault) -> Fault {
    match fault.class {
        Class::Retry { .. } => Fault { class: Class::Final, ..fault },
        Class::Final | Class::Cancelled => fault,
    }
}

/// A result in chunks.
pub(crate) fn chunks_of(value: &Value) -> Result<(Extent, Vec<Chunk>), Fault> {
    let mut chunks = Vec::new();
    let mut writer = ChunkWriter::new(|chunk| {
        chunks.push(chunk);
        Ok(())
    });
    write_value(&mut writer, value)?;
    let extent = writer.finish()?;
    Ok((extent, chunks))
}

async fn drive(
    shared: &Arc<Shared>,
    program: &dyn Program,
    (begin, log): (Begin, CallLogLevel),
    task: &Task,
    handle: &Handle,
) -> Exit {
    let seed = begin.seed;
    let (fold, applied) = match guard(|| Fold::start(program.machine(begin))) {
        Ok(started) => started,
        Err(fault) => return fault.into(),
    };
    let mut driver = Driver {
        shared,
        task,
        handle,
        seed,
        log,
        fold,
        next_seq: 0,
        committed: 0,
        held: Vec::new(),
        fresh: VecDeque::new(),
        calls: 0,
        waits: BTreeSet::new(),
        performing: FuturesUnordered::new(),
        committing: FuturesOrdered::new(),
        stall: None,
        inbox: VecDeque::new(),
        seen: 0,
    };
    match driver.run(applied).await {
        Ok(never) => match never {},
        Err(exit) => exit,
    }
}

type Performed = (EffectNumber, Outcome);

/// Entries on their way to the store, with the signals that they take out of the inbox.
#[derive(Default, Clone)]
struct Batch {
    entries: Vec<Entry>,
    consumed: Vec<u64>,
}

type Committed = (Batch, Result<Appended, StoreError>);

/// What waits while the store takes no writes.
struct Stall {
    /// How long until it is asked again.
    pause: Span,
    batch: Batch,
}

/// A machine under a lease, with all that is under way for it.
struct Driver<'a> {
    shared: &'a Arc<Shared>,
    task: &'a Task,
    handle: &'a Handle,
    seed: Seed,
    /// Which calls are logged.
    log: CallLogLevel,
    fold: Fold,
    /// The place of the next entry, counting those on their way to the store.
    next_seq: u64,
    /// The place after the last entry that is on disk.
    committed: u64,
    /// Readings of the clock that the machine knows and that are not on their way yet.
    held: Vec<Entry>,
    /// New effects, each with the place up to which the journal must be on disk before it.
    fresh: VecDeque<(u64, EffectNumber, Effect)>,
    /// Calls under way.
    calls: usize,
    /// Timers and signals that are waited for.
    waits: BTreeSet<EffectNumber>,
    performing: FuturesUnordered<BoxFuture<'a, Performed>>,
    committing: FuturesOrdered<BoxFuture<'a, Committed>>,
    /// From a refused commit until the store takes one again; meanwhile one at a time is tried.
    stall: Option<Stall>,
    /// Signals that no effect has taken yet, and the number of the last one read.
    inbox: VecDeque<Signal>,
    seen: u64,
}

impl Driver<'_> {
    async fn run(&mut self, started: Applied) -> Result<std::convert::Infallible, Exit> {
        self.take(started).await?;
        self.refold().await?;
        loop {
            if let Some(end) = self.fold.end() {
                return Err(Exit::Ended(end.clone()));
            }
            if self.handle.is_stopped() {
                return Err(self.stopped());
            }
            if self.over().is_some_and(|over| over <= self.shared.clock.now()) {
                return Err(timed_out(self.task).into());
            }
            self.begin_fresh().await?;
            self.take_signals()?;
            if self.fold.end().is_none() && !self.rest_if_idle().await? {
                self.wait().await?;
            }
        }
    }

    /// Takes in what earlier workers have committed; what is left unanswered begins anew.
    async fn refold(&mut self) -> Result<(), Exit> {
        loop {
            let from = self.fold.next_seq();
            let read = self.shared.store.journal_read(self.task.id, from, PAGE).await;
            let entries = read.map_err(|error| self.refused("journal_read", &error))?;
            let last = entries.len() < PAGE;
            if entries.len() >= MANY {
                self.aside(move |fold| apply_all(fold, entries)).await?;
            } else {
                for entry in entries {
                    self.apply(entry).await?;
                }
            }
            if last {
                break;
            }
        }
        self.check_run().await?;
        self.next_seq = self.fold.next_seq();
        self.committed = self.next_seq;
        let waiting = self.fold.waiting().map(|(number, effect)| (0, number, effect.clone()));
        self.fresh = waiting.collect();
        Ok(())
    }

    /// Leaves a run that ended since the claim: its journal is empty, and what it had done would
    /// be done again. Under the first lease ever there was nothing to read.
    async fn check_run(&mut self) -> Result<(), Exit> {
        if self.task.token == Token::default().next() {
            return Ok(());
        }
        let read = self.shared.store.job_get(&[self.task.id]).await;
        let job = read.map_err(|error| self.refused("job_get", &error))?.pop().flatten();
        let goes_on = |job: &Job| job.state == State::Running && job.run == self.task.run;
        if job.as_ref().is_some_and(goes_on) { Ok(()) } else { Err(Exit::Lost) }
    }

    /// Folds one entry and lets the machine run until it waits.
    async fn apply(&mut self, entry: Entry) -> Result<(), Exit> {
        let applied = guard(|| self.fold.apply(entry))?;
        self.take(applied).await
    }

    async fn take(&mut self, mut applied: Applied) -> Result<(), Exit> {
        loop {
            let needs = self.fold.next_seq();
            let asked = applied.asked.into_iter();
            self.fresh.extend(asked.map(|(number, effect)| (needs, number, effect)));
            if !applied.paused || self.fold.end().is_some() {
                return Ok(());
            }
            if self.handle.is_stopped() {
                return Err(self.stopped());
            }
            applied = self.aside(go_on_for_long).await?;
        }
    }

    /// Lets the machine think where nobody waits for the thread: requests and other machines
    /// have theirs for themselves.
    async fn aside(
        &mut self,
        think: impl FnOnce(&mut Fold) -> Result<Applied, Fault> + Send + 'static,
    ) -> Result<Applied, Exit> {
        let Ok(_turn) = self.shared.thinkers.acquire().await else { return Err(Exit::HandBack) };
        let mut fold = self.fold.take_out();
        let (sender, thinking) = oneshot::channel();
        self.shared.performers.think(move || {
            let thought = guard(|| think(&mut fold));
            // Nobody waits any more when the process ends.
            let _ = sender.send((fold, thought));
        });
        let Ok((fold, thought)) = thinking.await else { return Err(Exit::HandBack) };
        self.fold = fold;
        Ok(thought?)
    }

    /// Begins what the machine newly asks for, as far as the journal is on disk for it.
    async fn begin_fresh(&mut self) -> Result<(), Exit> {
        let mut early = VecDeque::new();
        while let Some((needs, number, effect)) = self.fresh.pop_front() {
            match effect {
                Effect::Clock => self.read_clock(number).await?,
                _ if needs > self.committed && effect.parks().is_none() => {
                    self.append(Vec::new(), Vec::new());
                    early.push_back((needs, number, effect));
                }
                _ => self.begin(number, effect),
            }
        }
        self.fresh = early;
        Ok(())
    }

    /// The machine hears the time at once if nothing is on its way to the journal before it.
    async fn read_clock(&mut self, number: EffectNumber) -> Result<(), Exit> {
        let entry = self.entry(number, Outcome::Clock(self.shared.clock.now()))?;
        if self.fold.next_seq() == entry.seq {
            self.held.push(entry.clone());
            return self.apply(entry).await;
        }
        self.append(vec![entry], Vec::new());
        Ok(())
    }

    fn begin(&mut self, number: EffectNumber, effect: Effect) {
        let timer = match effect {
            Effect::Clock => return,
            Effect::Sleep { until } => Some(until),
            Effect::Signal { until, .. } => until,
            call => {
                self.calls += 1;
                let key = self.seed.idempotency_key(number);
                let outcome = ops::perform(self.shared, self.task, call, key);
                self.performing.push(outcome.map(move |outcome| (number, outcome)).boxed());
                return;
            }
        };
        self.waits.insert(number);
        if let Some(until) = timer {
            let slept = self.shared.clock.sleep_until(until);
            self.performing.push(slept.map(move |()| (number, Outcome::Woken)).boxed());
        }
    }

    /// Gives waiting effects the signals that have come for them.
    fn take_signals(&mut self) -> Result<(), Exit> {
        let wanted: Vec<_> = self
            .fold
            .waiting()
            .filter(|(number, _)| self.waits.contains(number))
            .filter_map(|(number, effect)| match effect {
                Effect::Signal { name, .. } => Some((number, name.clone())),
                _ => None,
            })
            .collect();
        for (number, name) in wanted {
            let found = self.inbox.iter().position(|signal| signal.name == name);
            if let Some(signal) = found.and_then(|place| self.inbox.remove(place)) {
                self.waits.remove(&number);
                let payload = signal.payload.to_value().unwrap_or_default();
                let entry = self.entry(number, Outcome::Signal(payload))?;
                self.append(vec![entry], vec![signal.number]);
            }
        }
        Ok(())
    }

    /// Gives the worker back if there is nothing to do but wait, or if the process shuts down.
    /// Answers whether it was kept awake by a signal, and has to look again before it waits.
    async fn rest_if_idle(&mut self) -> Result<bool, Exit> {
        if self.calls > 0 || !self.committing.is_empty() || !self.fresh.is_empty() {
            return Ok(false);
        }
        if !self.held.is_empty() {
            self.append(Vec::new(), Vec::new());
            return Ok(false);
        }
        if self.shared.is_draining() {
            return Err(Exit::HandBack);
        }
        let timers = self.fold.waiting().filter_map(|(_, effect)| effect.parks().flatten());
        let wake_at = timers.chain(self.over()).min();
        if wake_at.is_some_and(|at| at <= self.shared.clock.now()) {
            return self.take_due().map(|()| true);
        }
        let park = Park {
            id: self.task.id,
            token: self.task.token,
            wake_at,
            seen: self.seen,
            waiting_for: self.waiting_for(),
            now: self.shared.clock.now(),
        };
        self.park(park).await
    }

    /// Wakes what is due. Its sleeper may have begun before the clock jumped ahead, and looks at
    /// the clock again only after a while.
    fn take_due(&mut self) -> Result<(), Exit> {
        let now = self.shared.clock.now();
        let is_due = |effect: &Effect| effect.parks().flatten().is_some_and(|at| at <= now);
        let waiting = self.fold.waiting();
        let due = waiting.filter(|(number, effect)| self.waits.contains(number) && is_due(effect));
        let due: Vec<_> = due.map(|(number, _)| number).collect();
        due.into_iter().try_for_each(|number| self.take_outcome(number, Outcome::Woken))
    }

    async fn park(&mut self, park: Park) -> Result<bool, Exit> {
        let (wake_at, waiting_for) = (park.wake_at, park.waiting_for.clone());
        let parked = self.shared.store.job_park(park).await;
        match parked.map_err(|error| self.refused("job_park", &error))? {
            Parked::Done => {
                self.shared.observer.parked(&self.task.subject(), &waiting_for);
                if let Some(at) = wake_at {
                    self.shared.bus.due(at);
                }
                self.shared.made_room();
                Err(Exit::Parked)
            }
            Parked::Stale => Err(Exit::Lost),
            Parked::Awake => self.read_inbox().await.map(|()| true),
        }
    }

    async fn read_inbox(&mut self) -> Result<(), Exit> {
        let read = self.shared.store.signal_read(self.task.id, self.seen, PAGE).await;
        let signals = read.map_err(|error| self.refused("signal_read", &error))?;
        self.seen = signals.last().map_or(self.seen, |signal| signal.number);
        self.inbox.extend(signals);
        self.take_signals()
    }

    /// What the machine waits for, in words; the first three of many.
    fn waiting_for(&self) -> String {
        let mut words: Vec<_> =
            self.fold.waiting().take(3).map(|(_, effect)| effect.to_string()).collect();
        let more = self.fold.waiting().count() - words.len();
        if more > 0 {
            words.push(format!("{more} more"));
        }
        words.join(", ")
    }

    /// Waits for the next thing to happen and takes it in.
    async fn wait(&mut self) -> Result<(), Exit> {
        let over = self.over().unwrap_or(Timestamp::MAX);
        tokio::select! {
            biased;
            Some((batch, appended)) = self.committing.next() => {
                self.take_committed(batch, appended).await
            }
            Some((number, outcome)) = self.performing.next() => {
                self.take_outcome(number, outcome)
            }
            () = self.handle.until_poked() => self.read_inbox().await,
            () = self.shared.clock.sleep_until(over) => Ok(()),
        }
    }

    fn take_outcome(&mut self, number: EffectNumber, outcome: Outcome) -> Result<(), Exit> {
        match outcome {
            // The timer of a signal that has come.
            Outcome::Woken if !self.waits.remove(&number) => return Ok(()),
            Outcome::Woken => {}
            _ => self.calls -= 1,
        }
        if let Some((_, effect)) = self.fold.waiting().find(|(asked, _)| *asked == number) {
            ops::log::call(&self.task.subject(), self.log, effect, &outcome);
        }
        let entry = self.entry(number, outcome)?;
        self.append(vec![entry], Vec::new());
        Ok(())
    }

    async fn take_committed(
        &mut self,
        batch: Batch,
        appended: Result<Appended, StoreError>,
    ) -> Result<(), Exit> {
        match appended {
            Ok(Appended::Done) => {}
            Ok(Appended::Stale) => return Err(Exit::Lost),
            // The batch before this one was refused.
            Ok(Appended::Gap(_)) if self.stall.is_some() => {
                self.wait_with(batch);
                return Ok(());
            }
            Ok(Appended::Gap(place)) => return Err(damaged(place).into()),
            Err(error) => {
                let exit = self.refused("job_journal", &error);
                if error == StoreError::Closed {
                    return Err(exit);
                }
                self.wait_with(batch);
                return Ok(());
            }
        }
        if let Some(Stall { batch, .. }) = self.stall.take() {
            self.send(batch, None);
        }
        self.committed = batch.entries.last().map_or(self.committed, |entry| entry.seq + 1);
        for entry in batch.entries {
            if self.fold.end().is_none() && entry.seq >= self.fold.next_seq() {
                self.apply(entry).await?;
            }
        }
        Ok(())
    }

    /// Keeps what the store has refused; the last that comes back sends all of it again.
    fn wait_with(&mut self, refused: Batch) {
        let empty = || Stall { pause: PAUSE_FIRST, batch: Batch::default() };
        let stall = self.stall.get_or_insert_with(empty);
        stall.batch.entries.extend(refused.entries);
        stall.batch.consumed.extend(refused.consumed);
        if self.committing.is_empty() {
            let mut batch = std::mem::take(&mut stall.batch);
            batch.entries.sort_unstable_by_key(|entry| entry.seq);
            let pause = stall.pause;
            let longer = (pause.as_millis() * 2).min(PAUSE_LONGEST.as_millis());
            stall.pause = Span::from_millis(longer);
            self.send(batch, Some(pause));
        }
    }

    /// The next entry of the journal: what came of an effect.
    fn entry(&mut self, number: EffectNumber, outcome: Outcome) -> Result<Entry, Exit> {
        if self.next_seq >= limits::JOURNAL_ENTRIES {
            let limit = limits::JOURNAL_ENTRIES;
            let text = format!("the run has more than {limit} effects");
            return Err(Fault::last("JournalFull", text).into());
        }
        let asked = self.fold.waiting().find(|(asked, _)| *asked == number);
        let fingerprint = asked.map_or(0, |(_, effect)| effect.fingerprint());
        let seq = self.next_seq;
        self.next_seq += 1;
        Ok(Entry { seq, number, fingerprint, outcome, at: self.shared.clock.now() })
    }

    /// Sends entries on their way to the store, those that were held before them.
    fn append(&mut self, entries: Vec<Entry>, consumed: Vec<u64>) {
        let mut batch = Batch { entries: std::mem::take(&mut self.held), consumed };
        batch.entries.extend(entries);
        match &mut self.stall {
            Some(stall) => {
                stall.batch.entries.extend(batch.entries);
                stall.batch.consumed.extend(batch.consumed);
            }
            None => self.send(batch, None),
        }
    }

    fn send(&mut self, batch: Batch, pause: Option<Span>) {
        if batch.entries.is_empty() {
            return;
        }
        let (store, id, token) = (self.shared.store.clone(), self.task.id, self.task.token);
        let Batch { entries, consumed } = batch.clone();
        let append = Append { id, token, entries, consumed };
        let wait = pause.map(|pause| self.shared.clock.pause(pause));
        let commit = async move {
            if let Some(wait) = wait {
                wait.await;
            }
            (batch, store.job_journal(append).await)
        };
        self.committing.push_back(commit.boxed());
    }

    /// When the attempt's time is over.
    fn over(&self) -> Option<Timestamp> {
        self.task.spec.timeout.map(|timeout| self.task.started_at.after(timeout))
    }

    /// Why it was stopped.
    fn stopped(&self) -> Exit {
        if self.handle.is_given_back() { Exit::HandBack } else { Exit::Lost }
    }

    fn refused(&self, verb: &'static str, error: &StoreError) -> Exit {
        self.shared.observer.store_failed(verb, error);
        Exit::HandBack
    }
}

/// The lease holds, so nobody else has written: the journal itself is not what it was.
fn damaged(place: u64) -> Fault {
    Fault::last("StoreDamaged", format!("the job's journal has lost entries from {place} on"))
}

/// Goes on for some turns, or until the machine does not only pause.
fn go_on_for_long(fold: &mut Fold) -> Result<Applied, Fault> {
    let mut all = fold.go_on()?;
    for _ in 1..TURNS {
        if !all.paused || fold.end().is_some() {
            break;
        }
        let next = fold.go_on()?;
        all.asked.extend(next.asked);
        all.paused = next.paused;
    }
    Ok(all)
}

/// Folds entries one after the other, each until the machine waits.
fn apply_all(fold: &mut Fold, entries: Vec<Entry>) -> Result<Applied, Fault> {
    let mut all = Applied { asked: Vec::new(), paused: false };
    for entry in entries {
        let mut applied = fold.apply(entry)?;
        all.asked.append(&mut applied.asked);
        while applied.paused && fold.end().is_none() {
            applied = fold.go_on()?;
            all.asked.append(&mut applied.asked);
        }
    }
    Ok(all)
}

/// Runs a piece of a machine; a panic there is the machine's failure.
fn guard<T>(piece: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(piece)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}
