//! What workers outside this process may ask: jobs under a lease, and to end or extend it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_model::job::{Counters, Progress, judge};
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::Name;
use jobmill_model::{Fault, Job, JobId, Json, Span, State, Timestamp, Token, Value, limits};
use jobmill_store::{
    Call, EffectPut, Extend, LeaseView, Lent, Noted, ProgressNote, Settle, Settled, StoreError,
};

use crate::drive::chunks_of;
use crate::engine::{Engine, Shared};
use crate::observe::Subject;
use crate::places::Kind;
use crate::settle;
use crate::unhurried::Unhurried;

/// Results of together at most this size are cut into chunks where they are.
const LIGHT_BYTES: usize = 64 * 1024;

/// What a worker outside wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Who it is, as it names itself.
    pub worker: Name,
    /// The queue that it takes jobs from.
    pub queue: Name,
    /// The flows that it can perform.
    pub flows: Vec<Name>,
    /// The most jobs that it will take.
    pub max: usize,
    /// How long it keeps a job without a heartbeat, if not as long as the flow says.
    pub lease: Option<Span>,
    /// How long it waits for a job.
    pub wait: Span,
}

/// Why a call for work was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LeaseError {
    /// No flow has this name: it is to be declared first, or misspelt.
    #[error("unknown flow {flow:?}")]
    UnknownFlow {
        /// Its place among the flows of the call, from 0.
        index: usize,
        /// The name.
        flow: String,
        /// A known name that is near.
        near: Option<String>,
    },
    /// The server drives the steps of this flow itself.
    #[error("flow {flow:?} is performed by the server itself")]
    NotLent {
        /// Its place among the flows of the call, from 0.
        index: usize,
        /// The name.
        flow: String,
    },
    /// The store refused it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why something under a lease was not done.
#[derive(Debug, Clone, PartialEq)]
pub enum Lost {
    /// No such job.
    Unknown,
    /// The lease has ended; the job stands here.
    Ended(State),
    /// What was sent cannot be recorded, whoever sends it.
    Unfit(Fault),
}

/// Jobs that were leased and are given back when this is dropped before they are kept.
pub struct Hand {
    shared: Arc<Shared>,
    jobs: Vec<Lent>,
    taken: bool,
}

impl Hand {
    /// The jobs.
    #[must_use]
    pub fn jobs(&self) -> &[Lent] {
        &self.jobs
    }

    fn bytes(&self) -> usize {
        self.jobs.iter().map(|it| it.job.input.as_str().len() + it.job.params.as_str().len()).sum()
    }

    /// The worker has them: their leases go on.
    pub fn keep(mut self) {
        self.taken = true;
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        if self.taken || self.jobs.is_empty() {
            return;
        }
        let leases: Vec<_> = self.jobs.iter().map(|lent| (lent.job.id, lent.token)).collect();
        // Without a runtime the process is ending, and the leases run out.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let shared = self.shared.clone();
            runtime.spawn(async move { give_back(&shared, &leases).await.map(drop) });
        }
    }
}

async fn give_back(shared: &Shared, leases: &[(JobId, Token)]) -> Result<Vec<bool>, StoreError> {
    let held = shared.store.job_release(leases).await;
    match &held {
        Ok(held) => {
            shared.observer.handed_back(held.iter().filter(|held| **held).count());
            shared.bus.ready();
        }
        Err(error) => shared.observer.store_failed("job_release", error),
    }
    held
}

/// The end of an attempt, as a worker outside tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Ending {
    /// The job.
    pub id: JobId,
    /// The lease.
    pub token: Token,
    /// Its result, or why there is none.
    pub outcome: Result<Value, Fault>,
}

impl Engine {
    /// Leases jobs to a worker outside, waiting for the first if there is none.
    ///
    /// # Errors
    /// See [`LeaseError`].
    pub async fn lease(&self, want: Want) -> Result<Hand, LeaseError> {
        let flows = Arc::new(self.spans(&want)?);
        let shared = &self.shared;
        let over = self.now().after(want.wait);
        let caller = shared.bus.callers.join(&want.queue, flows.clone());
        let mut draining = shared.draining.subscribe();
        loop {
            caller.look();
            if *draining.borrow() {
                return Ok(Hand { shared: shared.clone(), jobs: Vec::new(), taken: true });
            }
            let (worker, queue) = (want.worker.clone(), want.queue.clone());
            let now = self.now();
            shared.catalog.note_call(flows.keys(), now);
            let call = Call { worker, queue, flows: flows.clone(), max: want.max, now };
            let hand = match self.take(call).await {
                Ok(hand) => hand,
                Err(error) => {
                    caller.pass_on();
                    return Err(error.into());
                }
            };
            if hand.jobs.len() >= want.max || hand.bytes() >= limits::LEASE_BYTES {
                caller.pass_on();
            }
            if !hand.jobs.is_empty() || now >= over {
                return Ok(hand);
            }
            let next_look = over.min(shared.refill().await);
            tokio::select! {
                biased;
                () = caller.until_woken() => {}
                _ = draining.changed() => {}
                () = shared.clock.sleep_until(next_look) => {}
            }
        }
    }

    /// One look for jobs; whoever stops waiting for it leaves none of them behind.
    async fn take(&self, call: Call) -> Result<Hand, StoreError> {
        let shared = self.shared.clone();
        let take = async move {
            let now = call.now;
            let jobs = shared.store.job_lease(call).await?;
            jobs.iter().for_each(|lent| shared.observer.metrics.taken_on(&lent.job, now));
            if let Some(first) = jobs.iter().map(|lent| lent.expires_at).min() {
                shared.bus.lease_end.set(first);
            }
            Ok(Hand { shared, jobs, taken: false })
        };
        Unhurried::new(take).await
    }

    /// How long the worker keeps a job of each flow.
    fn spans(&self, want: &Want) -> Result<BTreeMap<Name, Span>, LeaseError> {
        let usual = Span::from_millis(limits::LEASE_MILLIS);
        let mut spans = BTreeMap::new();
        for (index, flow) in want.flows.iter().enumerate() {
            let span = match self.declaration(flow) {
                Some(declaration) => declaration.lease,
                None if self.shared.registry.is_call(flow) => usual,
                None if self.knows_flow(flow) => {
                    return Err(LeaseError::NotLent { index, flow: flow.to_string() });
                }
                None => {
                    let near = self.near_flow(flow.as_str());
                    return Err(LeaseError::UnknownFlow { index, flow: flow.to_string(), near });
                }
            };
            spans.insert(flow.clone(), want.lease.unwrap_or(span));
        }
        Ok(spans)
    }

    /// Takes heartbeats, each for itself; answers when each lease ends now.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn heartbeat(
        &self,
        beats: Vec<(JobId, Token, Option<Span>)>,
    ) -> Result<Vec<Result<Timestamp, Lost>>, StoreError> {
        let now = self.now();
        let ids: Vec<_> = beats.iter().map(|(id, ..)| *id).collect();
        let beats: Vec<_> =
            beats.into_iter().map(|(id, token, span)| Extend { id, token, span, now }).collect();
        let shared = self.shared.clone();
        let extend = async move {
            let ends = shared.store.job_extend(beats).await?;
            if let Some(first) = ends.iter().flatten().min() {
                shared.bus.lease_end.set(*first);
            }
            Ok::<_, StoreError>(ends)
        };
        let ends = Unhurried::new(extend).await?;
        let mut answers = Vec::with_capacity(ends.len());
        for (id, end) in ids.into_iter().zip(ends) {
            answers.push(match end {
                Some(end) => Ok(end),
                None => Err(self.lost(id).await?),
            });
        }
        Ok(answers)
    }

    /// Records how far a job has come, which is a heartbeat too; answers when its lease ends.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn progress(
        &self,
        id: JobId,
        token: Token,
        progress: Progress,
    ) -> Result<Result<Timestamp, Lost>, StoreError> {
        let mut ends = self.heartbeat(vec![(id, token, None)]).await?;
        let end = ends.pop().unwrap_or(Err(Lost::Unknown));
        if end.is_ok()
            && !self
                .shared
                .store
                .job_progress(&[ProgressNote { id, token, progress }])
                .await?
                .contains(&true)
        {
            return Ok(Err(self.lost(id).await?));
        }
        Ok(end)
    }

    /// Hands jobs back unfinished, each for itself; no attempt is counted for it.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn release(
        &self,
        leases: Vec<(JobId, Token)>,
    ) -> Result<Vec<Result<(), Lost>>, StoreError> {
        let ids: Vec<_> = leases.iter().map(|(id, _)| *id).collect();
        let views = self.shared.store.lease_get(&ids).await?;
        let is_lent = |((_, token), view): (&(_, Token), &Option<LeaseView>)| {
            view.as_ref().is_some_and(|view| view.hold.is_some() && view.token == *token)
        };
        let lent: Vec<bool> = leases.iter().zip(&views).map(is_lent).collect();
        let shared = self.shared.clone();
        let kept: Vec<_> =
            leases.into_iter().zip(&lent).filter_map(|(it, lent)| lent.then_some(it)).collect();
        let released = Unhurried::new(async move { give_back(&shared, &kept).await }).await?;
        let mut released = released.into_iter();
        let mut answers = Vec::with_capacity(ids.len());
        for (id, lent) in ids.into_iter().zip(lent) {
            let done = lent && released.next().unwrap_or(false);
            answers.push(if done { Ok(()) } else { Err(self.lost(id).await?) });
        }
        Ok(answers)
    }

    /// Ends attempts, each for itself, in one commit; answers where each job stands now.
    ///
    /// A result that was recorded under the same lease before counts as recorded: its worker
    /// asks again because it did not hear the answer.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn finish(
        &self,
        endings: Vec<Ending>,
    ) -> Result<Vec<Result<State, Lost>>, StoreError> {
        let ids: Vec<_> = endings.iter().map(|ending| ending.id).collect();
        let views = self.shared.store.lease_get(&ids).await?;
        let mut answers: Vec<Option<Result<State, Lost>>> = vec![None; ids.len()];
        let mut settles = Vec::new();
        for ((index, ending), view) in endings.into_iter().enumerate().zip(views) {
            let (id, token) = (ending.id, ending.token);
            let wanted = ending.outcome.is_ok();
            match view {
                None => answers[index] = Some(Err(Lost::Unknown)),
                Some(view) if view.token == token && view.hold.is_some() => {
                    let subject = Subject::of_lease(id, view);
                    match self.settlement(ending, &subject).await? {
                        Ok(settle) => settles.push((index, (settle, subject))),
                        Err(lost) => answers[index] = Some(Err(lost)),
                    }
                }
                Some(view) => {
                    answers[index] = Some(match self.lost(id).await? {
                        Lost::Ended(state @ State::Completed) if wanted && view.token == token => {
                            Ok(state)
                        }
                        lost => Err(lost),
                    });
                }
            }
        }
        let (places, settles): (Vec<_>, Vec<_>) = settles.into_iter().unzip();
        let settled = self.settle_outside(settles).await?;
        for (index, settled) in places.into_iter().zip(settled) {
            answers[index] = Some(match settled {
                Settled::Done(state) => Ok(state),
                Settled::Stale => Err(self.lost(ids[index]).await?),
            });
        }
        Ok(answers.into_iter().map(|answer| answer.unwrap_or(Err(Lost::Unknown))).collect())
    }

    /// Records settlements and tells whoever waits.
    pub(crate) async fn settle_outside(
        &self,
        settles: Vec<(Settle, Subject)>,
    ) -> Result<Vec<Settled>, StoreError> {
        if settles.is_empty() {
            return Ok(Vec::new());
        }
        let (settles, subjects): (Vec<_>, Vec<_>) = settles.into_iter().unzip();
        let shared = self.shared.clone();
        let record = async move {
            let outcomes = shared.store.job_settle(settles.clone()).await?;
            for ((settle, subject), outcome) in settles.iter().zip(&subjects).zip(&outcomes) {
                settle::tell(&shared, settle, subject, *outcome);
                shared.bus.ended(settle.id);
            }
            shared.made_room();
            // Whether somebody is told of these ends is not known here.
            shared.bus.ready_here(Kind::Machine);
            Ok(outcomes)
        };
        Unhurried::new(record).await
    }

    /// The settlement of an attempt that has ended so, judged as every attempt is.
    async fn settlement(
        &self,
        ending: Ending,
        subject: &Subject,
    ) -> Result<Result<Settle, Lost>, StoreError> {
        let Ending { id, token, outcome } = ending;
        let now = self.now();
        let (end, chunks) = match outcome {
            Ok(value) => match cut(value).await {
                Ok((extent, chunks)) => (Ok(extent), chunks),
                Err(fault) => return Ok(Err(Lost::Unfit(fault))),
            },
            Err(fault) => (Err(fault), Vec::new()),
        };
        // A completion needs no more of the job than its lease.
        let counters = match &end {
            Ok(_) => Counters { attempt: 1, max_attempts: 1, backoff: Default::default() },
            Err(fault) => {
                let Some(job) = self.job(id).await? else { return Ok(Err(Lost::Unknown)) };
                self.shared.observer.attempt_failed(subject, fault);
                counters(&job)
            }
        };
        let verdict = judge(counters, end, now, self.shared.chance.fraction());
        Ok(Ok(Settle { id, token, verdict, chunks, progress: None, now }))
    }

    /// Records the result of a step under a lease; answers the one that counts, and whether it
    /// is this one.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn note_effect(
        &self,
        put: EffectPut,
    ) -> Result<Result<(Json, bool), Lost>, StoreError> {
        let (shared, sent, id) = (self.shared.clone(), put.value.clone(), put.id);
        let noted = Unhurried::new(async move { shared.store.effect_put(put).await }).await?;
        Ok(match noted {
            Noted::New => Ok((sent, true)),
            Noted::Known(value) => Ok((value, false)),
            Noted::Stale => Err(self.lost(id).await?),
            Noted::Full => {
                let most = limits::LEDGER_EFFECTS;
                let message = format!("the ledger of this job has {most} steps and takes no more");
                Err(Lost::Unfit(Fault::last("LedgerFull", message)))
            }
        })
    }

    /// The result of a step in the present run.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn effect(&self, id: JobId, name: &Name) -> Result<Option<Json>, StoreError> {
        self.shared.store.effect_get(id, name).await
    }

    /// The steps of the present run after the step `after`, by name.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn effects(
        &self,
        id: JobId,
        after: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<(Name, Json)>, StoreError> {
        self.shared.store.effect_list(id, after, limit).await
    }

    /// Who holds a job outside, if anybody does.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn hold(&self, id: JobId) -> Result<Option<jobmill_store::Hold>, StoreError> {
        let view = self.shared.store.lease_get(&[id]).await?.pop().flatten();
        Ok(view.and_then(|view| view.hold))
    }

    /// Why a lease does not hold.
    pub(crate) async fn lost(&self, id: JobId) -> Result<Lost, StoreError> {
        let job = self.job(id).await?;
        Ok(job.map_or(Lost::Unknown, |job| Lost::Ended(job.state)))
    }
}

fn counters(job: &Job) -> Counters {
    Counters {
        attempt: job.attempt,
        max_attempts: job.spec.max_attempts,
        backoff: job.spec.backoff,
    }
}

/// A result in chunks, through the same writer as every other.
async fn cut(value: Value) -> Result<(Extent, Vec<Chunk>), Fault> {
    if value.size_bytes() <= LIGHT_BYTES {
        return chunks_of(&value);
    }
    let writing = tokio::task::spawn_blocking(move || chunks_of(&value)).await;
    writing.unwrap_or_else(|error| Err(Fault::last("OutputBroken", error.to_string())))
}
