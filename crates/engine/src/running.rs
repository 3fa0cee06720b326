//! The jobs that this process performs, and how to reach them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_model::{JobId, Token};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// One job under way in this process.
pub(crate) struct Handle {
    pub(crate) token: Token,
    stopped: AtomicBool,
    given_back: AtomicBool,
    poke: Notify,
}

impl Handle {
    /// Whether its work should stop.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Whether its work was stopped because the process shuts down. Whatever it came to is then
    /// no end of an attempt.
    pub(crate) fn is_given_back(&self) -> bool {
        self.given_back.load(Ordering::Acquire)
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.poke.notify_one();
    }

    fn give_back(&self) {
        self.given_back.store(true, Ordering::Release);
        self.stop();
    }

    /// Waits until it is stopped, a signal came for it, or the process drains.
    pub(crate) async fn until_poked(&self) {
        self.poke.notified().await;
    }
}

#[derive(Default)]
pub(crate) struct Running {
    jobs: Mutex<BTreeMap<JobId, Arc<Handle>>>,
    empty: Notify,
}

impl Running {
    pub(crate) fn enter(&self, id: JobId, token: Token) -> Arc<Handle> {
        let (stopped, given_back) = (AtomicBool::new(false), AtomicBool::new(false));
        let handle = Arc::new(Handle { token, stopped, given_back, poke: Notify::new() });
        self.jobs.lock().insert(id, handle.clone());
        handle
    }

    /// Forgets a job, unless it has been taken on again under another token.
    pub(crate) fn leave(&self, id: JobId, token: Token) {
        let mut jobs = self.jobs.lock();
        if jobs.get(&id).is_some_and(|handle| handle.token == token) {
            jobs.remove(&id);
        }
        if jobs.is_empty() {
            self.empty.notify_waiters();
        }
    }

    /// The lease under which a job is under way here.
    pub(crate) fn token(&self, id: JobId) -> Option<Token> {
        self.jobs.lock().get(&id).map(|handle| handle.token)
    }

    /// Asks the work under one lease to stop.
    pub(crate) fn stop_lease(&self, id: JobId, token: Token) {
        if let Some(handle) = self.jobs.lock().get(&id).filter(|handle| handle.token == token) {
            handle.stop();
        }
    }

    /// Makes a machine look at its inbox again.
    pub(crate) fn poke(&self, id: JobId) {
        if let Some(handle) = self.jobs.lock().get(&id) {
            handle.poke.notify_one();
        }
    }

    pub(crate) fn poke_all(&self) {
        self.jobs.lock().values().for_each(|handle| handle.poke.notify_one());
    }

    /// Stops all work that is under way; answers the leases that are to be given back.
    pub(crate) fn give_back_all(&self) -> Vec<(JobId, Token)> {
        let jobs = self.jobs.lock();
        jobs.values().for_each(|handle| handle.give_back());
        jobs.iter().map(|(id, handle)| (*id, handle.token)).collect()
    }

    /// Lets whoever waits for the end of all work look again.
    pub(crate) fn look_again(&self) {
        self.empty.notify_waiters();
    }

    /// Returns when nothing is under way here, and nothing else either as the caller says, which
    /// is asked first.
    pub(crate) async fn until_empty(&self, nothing_else: impl Fn() -> bool) {
        loop {
            let empty = self.empty.notified();
            tokio::pin!(empty);
            empty.as_mut().enable();
            if nothing_else() && self.jobs.lock().is_empty() {
                return;
            }
            empty.await;
        }
    }
}
