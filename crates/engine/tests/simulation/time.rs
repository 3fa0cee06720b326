//! Simulated time: what is due when, a clock that jumps, sleepers that are late or woken early.
//!
//! Time passes only when [`Time::next`] takes what is due next, so it passes only when the
//! simulation has seen that nobody has anything left to do at the present instant.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::future::BoxFuture;
use jobmill_engine::clock::Clock;
use jobmill_model::{Span, Timestamp};
use parking_lot::Mutex;

use super::dice::Dice;
use super::disk::Turn;

/// Microseconds since the beginning of the simulation; they never go back.
pub(crate) type Micros = u64;

/// The wall clock at the beginning.
const BASE_MILLIS: i64 = 1_800_000_000_000;
/// A sleeper looks at the wall clock at least this often, as the system's clock does.
const LONGEST_SLEEP: Micros = 60_000_000;

/// Something that happens at its time.
pub(crate) enum Event {
    /// A sleeper wakes.
    Wake(Waker),
    /// The disk goes on.
    Disk(Turn),
    /// The next thing that the outside does.
    Plan,
    /// A new process starts.
    Start,
    /// A frozen process goes on.
    Thaw(u64),
    /// A process is killed.
    Kill(u64),
}

pub(crate) struct Time(Mutex<State>);

struct State {
    now: Micros,
    /// What the wall clock shows beyond the time that has passed.
    offset_millis: i64,
    latest_wall_millis: i64,
    /// Tells events of one instant apart.
    number: u64,
    due: BTreeMap<(Micros, u64), Event>,
    dice: Dice,
}

impl Time {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            now: 0,
            offset_millis: 0,
            latest_wall_millis: BASE_MILLIS,
            number: 0,
            due: BTreeMap::new(),
            dice: Dice::new(seed, "time"),
        })))
    }

    pub(crate) fn now(&self) -> Micros {
        self.0.lock().now
    }

    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.0.lock().wall_millis())
    }

    /// Lets something happen after so many microseconds.
    pub(crate) fn after(&self, wait: Micros, event: Event) {
        let mut state = self.0.lock();
        let key = state.key(wait);
        state.due.insert(key, event);
    }

    /// Moves time on to what is due next, and takes it.
    pub(crate) fn next(&self) -> Option<Event> {
        let mut state = self.0.lock();
        let ((at, _), event) = state.due.pop_first()?;
        state.now = state.now.max(at);
        state.latest_wall_millis = state.latest_wall_millis.max(state.wall_millis());
        Some(event)
    }

    /// Makes the wall clock jump, forward or back.
    pub(crate) fn jump(&self, millis: i64) {
        let mut state = self.0.lock();
        state.offset_millis += millis;
        state.latest_wall_millis = state.latest_wall_millis.max(state.wall_millis());
    }

    /// Sets the wall clock to the latest that it has ever shown.
    pub(crate) fn catch_up(&self) {
        let mut state = self.0.lock();
        state.offset_millis += state.latest_wall_millis - state.wall_millis();
    }

    /// Wakes a sleeper for nothing, as wakers may.
    pub(crate) fn wake_somebody(&self) {
        let mut state = self.0.lock();
        let sleepers = state.due.values().filter_map(|event| match event {
            Event::Wake(waker) => Some(waker.clone()),
            _ => None,
        });
        let sleepers: Vec<_> = sleepers.collect();
        if let Some(waker) = state.dice.pick(&sleepers) {
            waker.wake_by_ref();
        }
    }

    /// Waits for so many microseconds.
    pub(crate) fn sleep(self: &Arc<Self>, wait: Micros) -> Sleep {
        Sleep { time: self.clone(), until: self.now() + wait, key: None }
    }
}

impl State {
    fn wall_millis(&self) -> i64 {
        BASE_MILLIS + (self.now / 1_000) as i64 + self.offset_millis
    }

    fn key(&mut self, wait: Micros) -> (Micros, u64) {
        self.number += 1;
        (self.now + wait, self.number)
    }
}

/// A wait for simulated time to pass.
pub(crate) struct Sleep {
    time: Arc<Time>,
    until: Micros,
    key: Option<(Micros, u64)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut state = time.0.lock();
        if let Some(key) = self.key.take() {
            state.due.remove(&key);
        }
        if state.now >= self.until {
            return Poll::Ready(());
        }
        let wait = self.until - state.now;
        let key = state.key(wait);
        state.due.insert(key, Event::Wake(context.waker().clone()));
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let dropped = self.time.0.lock().due.remove(&key);
            // A waker may own a task that sleeps as well, so it is dropped without the lock.
            drop(dropped);
        }
    }
}

/// The simulated clock of one process.
pub(crate) struct SimClock(pub(crate) Arc<Time>);

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.wall()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.0.now())
    }

    fn sleep_until(&self, at: Timestamp) -> BoxFuture<'static, ()> {
        let time = self.0.clone();
        Box::pin(async move {
            loop {
                let left = at.since(time.wall()).as_millis() * 1_000;
                if left == 0 {
                    return;
                }
                let late = time.0.lock().dice.delay(500, 30_000);
                time.sleep(left.min(LONGEST_SLEEP) + late).await;
            }
        })
    }

    fn pause(&self, span: Span) -> BoxFuture<'static, ()> {
        Box::pin(self.0.sleep(span.as_millis() * 1_000))
    }
}
