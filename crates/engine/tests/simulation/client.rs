//! The senders: what they ask of the server, what they were told, when they give up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jobmill_engine::{Engine, SubmitError};
use jobmill_model::job::{Fingerprint, Idempotency};
use jobmill_model::queue::Name;
use jobmill_model::{Job, JobId, Json, Span};
use jobmill_store::*;
use parking_lot::Mutex;

use super::disk::Disk;
use super::outside::Outside;
use super::plan::{Action, Parcel};
use super::port::{STRANGER, SimStore};

/// What the senders know.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The jobs that were accepted, in the order of the answers.
    pub(crate) accepted: Vec<JobId>,
    /// The answer to each parcel with a key.
    answers: BTreeMap<usize, Vec<JobId>>,
    /// Jobs whose cancellation was confirmed.
    pub(crate) cancelled: BTreeSet<JobId>,
    /// Jobs whose new run was confirmed.
    pub(crate) reopened: BTreeSet<JobId>,
    /// The number of the last signal that was confirmed.
    pub(crate) signalled: BTreeMap<JobId, u64>,
    /// What is on its way, with the process that was asked and the job that is waited for.
    pub(crate) under_way: BTreeMap<u64, UnderWay>,
    /// What has to be sent again.
    pub(crate) again: Vec<Action>,
    /// The process to which a stranger did something that it was not told of.
    pub(crate) untold: BTreeSet<u64>,
    tickets: u64,
}

pub(crate) struct UnderWay {
    pub(crate) life: u64,
    pub(crate) action: Action,
    pub(crate) waits_for: Option<JobId>,
}

impl Ledger {
    /// The answers of a process will not come.
    pub(crate) fn cut_off(&mut self, life: u64, parcels: &[Parcel]) {
        let lost: Vec<_> =
            self.under_way.extract_if(.., |_, it| it.life == life).map(|(_, it)| it).collect();
        lost.into_iter().for_each(|it| self.unanswered(it.action, parcels));
    }

    /// A sender without an answer sends again what has a key, and now and then what has none.
    fn unanswered(&mut self, action: Action, parcels: &[Parcel]) {
        if let Action::Submit(parcel) = action
            && (parcels[parcel].key.is_some() || parcel % 2 == 0)
        {
            self.again.push(action);
        }
    }
}

/// A sender, connected to one process.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) life: u64,
    pub(crate) engine: Engine,
    pub(crate) outside: Arc<Outside>,
    pub(crate) disk: Arc<Mutex<Disk>>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) parcels: Arc<Vec<Parcel>>,
}

impl Client {
    /// Does one thing; gives up after so many microseconds, if any.
    pub(crate) async fn act(self, action: Action, patience: Option<u64>) {
        let ticket = self.take_ticket(&action);
        let acted = self.clone().ask(action.clone());
        let answered = match patience {
            None => {
                acted.await;
                true
            }
            Some(patience) => tokio::select! {
                biased;
                () = acted => true,
                () = self.outside.time.sleep(patience) => false,
            },
        };
        let mut ledger = self.ledger.lock();
        if ledger.under_way.remove(&ticket).is_some() && !answered {
            ledger.unanswered(action, &self.parcels);
        }
    }

    fn take_ticket(&self, action: &Action) -> u64 {
        let mut ledger = self.ledger.lock();
        ledger.tickets += 1;
        let waits_for = match action {
            Action::Wait { pick, .. } => ledger.pick(*pick),
            _ => None,
        };
        let under_way = UnderWay { life: self.life, action: action.clone(), waits_for };
        let ticket = ledger.tickets;
        ledger.under_way.insert(ticket, under_way);
        ticket
    }

    async fn ask(self, action: Action) {
        let pick = |pick| self.ledger.lock().pick(pick);
        match action {
            Action::Submit(parcel) => self.submit(parcel).await,
            Action::SubmitOther(parcel) => self.submit_other(parcel).await,
            Action::Cancel { pick: it, stranger } => {
                let Some(id) = pick(it) else { return };
                self.cancel(id, stranger).await;
            }
            Action::Retry { pick: it, stranger } => {
                let Some(id) = pick(it) else { return };
                self.retry(id, stranger).await;
            }
            Action::Signal { pick: it, name, stranger } => {
                let Some(id) = pick(it) else { return };
                self.signal(id, name, stranger).await;
            }
            Action::Wait { pick: it, span } => {
                let Some(id) = pick(it) else { return };
                self.wait(id, span).await;
            }
            // A store that refuses is no news here.
            Action::Rules(queue, rules) => {
                drop(self.engine.queue_put(&Name::trusted(queue), rules).await);
            }
            Action::Pause(queue, paused) => {
                drop(self.engine.queue_pause(&Name::trusted(queue), paused).await);
            }
            Action::Schedule(name, rules) => {
                drop(self.engine.schedule_put(Name::trusted(name), *rules, false, false).await);
            }
            Action::Rest(name, paused) => {
                drop(self.engine.schedule_rest(&Name::trusted(name), paused).await);
            }
            Action::Poke => drop(self.engine.retry(&[]).await),
        }
    }

    fn key_of(&self, parcel: usize, body: &str) -> Option<Idempotency> {
        let key = self.parcels[parcel].key.as_ref()?;
        let body = Fingerprint::of(format!("{parcel} {body}").as_bytes());
        Some(Idempotency::new("simulation", key, body, self.engine.now()).expect("it is short"))
    }

    async fn submit(&self, parcel: usize) {
        let mut jobs = self.parcels[parcel].jobs.clone();
        let below = self.parcels[parcel].below;
        let parent = below.and_then(|below| self.ledger.lock().pick(below));
        if parent.is_some() {
            jobs.iter_mut().for_each(|job| job.spec.parent = parent);
        }
        let count = jobs.len();
        match self.engine.submit(jobs, self.key_of(parcel, "body")).await {
            Ok(jobs) if jobs.len() == count => self.accepted(parcel, &jobs),
            Err(SubmitError::Draining) => self.ledger.lock().again.push(Action::Submit(parcel)),
            Err(SubmitError::Store(error)) if error != StoreError::KeyReused => {
                self.ledger.lock().again.push(Action::Submit(parcel));
            }
            other => self.broken("answers are true", format!("{other:?} to a good submission")),
        }
    }

    fn accepted(&self, parcel: usize, jobs: &[Job]) {
        let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
        let mut ledger = self.ledger.lock();
        let earlier = match self.parcels[parcel].key {
            Some(_) => ledger.answers.insert(parcel, ids.clone()),
            None => None,
        };
        for id in &ids {
            if !ledger.accepted.contains(id) {
                ledger.accepted.push(*id);
            }
        }
        drop(ledger);
        self.outside.witness.lock().event(|witness| {
            let names: Vec<_> = ids.iter().map(|id| witness.name(*id)).collect();
            format!("accepted by life {}: parcel {parcel} as {}", self.life, names.join(" "))
        });
        if let Some(earlier) = earlier.filter(|earlier| *earlier != ids) {
            let text = format!("parcel {parcel} was {earlier:?} and is {ids:?}");
            self.broken("one key, one submission", text);
        }
    }

    async fn submit_other(&self, parcel: usize) {
        if !self.ledger.lock().answers.contains_key(&parcel) {
            return;
        }
        let jobs = self.parcels[parcel].jobs.clone();
        if let Ok(jobs) = self.engine.submit(jobs, self.key_of(parcel, "other")).await {
            let text = format!("another body under the key of parcel {parcel} gave {jobs:?}");
            self.broken("one key, one submission", text);
        }
    }

    /// Writes past the server, as another process on the same store does.
    fn past_the_server(&self) -> SimStore {
        self.ledger.lock().untold.insert(self.life);
        SimStore { disk: self.disk.clone(), life: STRANGER }
    }

    async fn cancel(&self, id: JobId, stranger: bool) {
        let outcome = if stranger {
            self.past_the_server().job_cancel(&[id], self.engine.now()).await
        } else {
            self.engine.cancel(&[id]).await
        };
        if matches!(outcome.as_deref(), Ok([Cancelled::Done(_)])) {
            self.ledger.lock().cancelled.insert(id);
        }
    }

    async fn retry(&self, id: JobId, stranger: bool) {
        let outcome = if stranger {
            self.past_the_server().job_retry(&[id], self.engine.now()).await
        } else {
            self.engine.retry(&[id]).await
        };
        if matches!(outcome.as_deref(), Ok([Retried::Done])) {
            self.ledger.lock().reopened.insert(id);
        }
    }

    pub(crate) async fn signal(&self, id: JobId, name: &str, stranger: bool) {
        let (name, payload) = (Name::trusted(name), Json::trusted("\"signal\""));
        let outcome = if stranger {
            self.past_the_server().job_signal(id, &name, &payload).await
        } else {
            self.engine.signal(id, &name, &payload).await
        };
        if let Ok(Signalled::Done(number)) = outcome {
            let mut ledger = self.ledger.lock();
            let last = ledger.signalled.entry(id).or_default();
            *last = number.max(*last);
        }
    }

    async fn wait(&self, id: JobId, span: Span) {
        let over = self.engine.now().after(span);
        match self.engine.wait(id, span).await {
            Ok(Some(job)) => {
                let is_over = self.engine.now() >= over || self.engine.is_draining();
                if !job.state.is_final() && !is_over {
                    self.broken("waiters are told", format!("{id} is {}, too early", job.state));
                }
            }
            Ok(None) => self.broken("acknowledged is kept", format!("{id} is not there")),
            Err(_) => {}
        }
    }

    fn broken(&self, invariant: &'static str, text: String) {
        self.outside.witness.lock().broken(invariant, text);
    }
}

impl Ledger {
    fn pick(&self, pick: u64) -> Option<JobId> {
        let count = self.accepted.len() as u64;
        // The later ones are more often still under way.
        let back = (pick % 97).min(pick % count.max(1));
        self.accepted.iter().rev().nth(back as usize).copied()
    }
}
