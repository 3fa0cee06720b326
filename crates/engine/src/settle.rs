//! Records the ends of attempts, many in one commit, and wakes whoever waits for them.

use std::sync::Arc;

use jobmill_model::job::Verdict;
use jobmill_model::{JobId, Span, State, Token};
use jobmill_store::{Settle, Settled, StoreError};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::engine::Shared;
use crate::observe::Subject;
use crate::places::Kind;

/// The most ends that are recorded in one request to the store.
const BATCH: usize = 256;
/// The first and the longest pause while the store cannot write.
const PAUSE_FIRST: Span = Span::from_millis(100);
const PAUSE_LONGEST: Span = Span::from_secs(5);

/// How a lease ends.
#[expect(clippy::large_enum_variant, reason = "nearly every lease ends with a verdict")]
pub(crate) enum Ending {
    /// With a verdict; and whether somebody wants to be told of it.
    Settle(Settle, Subject, bool),
    /// Unfinished.
    HandBack(JobId, Token),
}

/// Where ends are sent. What waits is bounded by the places: an end is sent once for each.
pub(crate) struct Settler(UnboundedSender<Ending>);

impl Settler {
    pub(crate) fn send(&self, ending: Ending) {
        // The receiver lives as long as the process serves; after that nobody waits for the end.
        let _ = self.0.send(ending);
    }
}

pub(crate) fn channel() -> (Settler, UnboundedReceiver<Ending>) {
    let (sender, receiver) = unbounded_channel();
    (Settler(sender), receiver)
}

pub(crate) async fn run(shared: Arc<Shared>, mut endings: UnboundedReceiver<Ending>) {
    let mut batch = Vec::with_capacity(BATCH);
    while endings.recv_many(&mut batch, BATCH).await > 0 {
        let (mut settles, mut leases, mut told) = (Vec::new(), Vec::new(), false);
        for ending in batch.drain(..) {
            match ending {
                Ending::Settle(settle, subject, is_told) => {
                    told |= is_told;
                    settles.push((settle, subject));
                }
                Ending::HandBack(id, token) => leases.push((id, token)),
            }
        }
        if !settles.is_empty() {
            record(&shared, settles).await;
        }
        if told {
            // Whoever delivers may begin.
            shared.bus.ready_here(Kind::Machine);
        }
        if !leases.is_empty() {
            hand_back(&shared, &leases).await;
        }
    }
}

async fn record(shared: &Shared, settles: Vec<(Settle, Subject)>) {
    let (settles, subjects): (Vec<_>, Vec<_>) = settles.into_iter().unzip();
    let write = || shared.store.job_settle(settles.clone());
    let Some(outcomes) = persist(shared, "job_settle", write).await else { return };
    for ((settle, subject), outcome) in settles.iter().zip(&subjects).zip(outcomes) {
        tell(shared, settle, subject, outcome);
        shared.running.leave(settle.id, settle.token);
        shared.bus.ended(settle.id);
    }
    shared.made_room();
}

/// Passes on what became of a settlement to whoever has to know.
pub(crate) fn tell(shared: &Shared, settle: &Settle, subject: &Subject, outcome: Settled) {
    shared.observer.settled(subject, outcome);
    if let (Settled::Done(State::Scheduled), Verdict::Retry { run_at, .. }) =
        (outcome, &settle.verdict)
    {
        shared.bus.due(*run_at);
    }
}

async fn hand_back(shared: &Shared, leases: &[(JobId, Token)]) {
    let write = || shared.store.job_release(leases);
    if let Some(held) = persist(shared, "job_release", write).await {
        shared.observer.handed_back(held.iter().filter(|held| **held).count());
        leases.iter().for_each(|(id, token)| shared.running.leave(*id, *token));
        shared.bus.ready();
    }
}

/// Repeats a write until the store takes it: what was done must not be lost to a full disk.
async fn persist<T, F: Future<Output = Result<T, StoreError>>>(
    shared: &Shared,
    verb: &'static str,
    write: impl Fn() -> F,
) -> Option<T> {
    let mut pause = PAUSE_FIRST;
    loop {
        match write().await {
            Ok(outcome) => return Some(outcome),
            Err(StoreError::Closed) => return None,
            Err(error) => shared.observer.store_failed(verb, &error),
        }
        shared.clock.pause(pause).await;
        pause = Span::from_millis((pause.as_millis() * 2).min(PAUSE_LONGEST.as_millis()));
    }
}
