//! The threads that run flows of one call and ops, so that no async thread computes.
//!
//! Who runs them is an input, as time and chance are: a simulation runs them on its one thread.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// One call of a flow or an op.
pub type Work = Box<dyn FnOnce() + Send>;

/// Whoever runs flows of one call and ops.
pub trait Performer: Send + Sync {
    /// Runs the work, now or later, in the order in which it came. Called on the runtime.
    fn take(&self, work: Work);

    /// Runs a machine's long thought where nobody waits for the thread. Called on the runtime.
    fn think(&self, work: Work) {
        tokio::task::spawn_blocking(work);
    }
}

/// The engine's hold on its performer.
pub(crate) struct Performers(Box<dyn Performer>);

impl Performers {
    pub(crate) fn new(performer: impl Performer + 'static) -> Self {
        Self(Box::new(performer))
    }

    pub(crate) fn push(&self, work: impl FnOnce() + Send + 'static) {
        self.0.take(Box::new(work));
    }

    pub(crate) fn think(&self, work: impl FnOnce() + Send + 'static) {
        self.0.think(Box::new(work));
    }
}

/// A fixed number of threads and the queue before them. The queue is bounded by
/// [`Places`](crate::places::Places).
pub(crate) struct Threads {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    work: VecDeque<Work>,
    idle: usize,
    closed: bool,
}

impl Threads {
    pub(crate) fn start(threads: usize) -> Self {
        let queue = Arc::new(Queue::default());
        for number in 0..threads.max(1) {
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("performer-{number}"))
                .spawn(move || queue.serve())
                .expect("the system can start a thread");
        }
        Self { queue }
    }
}

impl Performer for Threads {
    fn take(&self, work: Work) {
        let mut state = self.queue.state.lock();
        state.work.push_back(work);
        if state.idle > 0 {
            self.queue.wake.notify_one();
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.state.lock().closed = true;
        self.queue.wake.notify_all();
    }
}

impl Queue {
    fn serve(&self) {
        let mut state = self.state.lock();
        while !state.closed {
            match state.work.pop_front() {
                Some(work) => {
                    parking_lot::MutexGuard::unlocked(&mut state, work);
                }
                None => {
                    state.idle += 1;
                    self.wake.wait(&mut state);
                    state.idle -= 1;
                }
            }
        }
    }
}
