//! The handle: what the doors may ask of the engine, and its start and stop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_model::job::FailedAttempt;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::Name;
use jobmill_model::{InstanceId, Job, JobId, Json, Span, Timestamp, limits};
use jobmill_store::{
    AttemptQuery, Cancelled, JobPage, JobQuery, PairPage, Retried, Signalled, Store, StoreError,
    Tally,
};
use tokio::sync::watch;

use crate::bus::Bus;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::observe::{Counts, Observer};
use crate::ops::gate::Gate;
use crate::ops::http::HttpClient;
use crate::performers::Performers;
use crate::places::Places;
use crate::progress::ProgressSender;
use crate::registry::Registry;
use crate::running::Running;
use crate::settle::Settler;
use crate::{claim, progress, services, settle};

/// How the engine is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How many flows of one call are performed at once; machines wait without a worker.
    pub workers: usize,
    /// How many workers may be lost under one job.
    pub max_crashes: u32,
    /// How long a shutdown waits for work that is under way.
    pub grace: Span,
    /// Where calls out of this process may go.
    pub gate: Gate,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            workers: 4,
            max_crashes: limits::MAX_CRASHES,
            grace: Span::from_secs(20),
            gate: Gate::default(),
        }
    }
}

/// A job with the measure of its result, if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The job.
    pub job: Job,
    /// Its published result's measure.
    pub extent: Option<Extent>,
}

/// The engine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Registry,
    pub(crate) flows: Arc<BTreeSet<Name>>,
    pub(crate) instance: InstanceId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) config: Config,
    pub(crate) ids: Ids,
    pub(crate) bus: Arc<Bus>,
    pub(crate) places: Places,
    pub(crate) running: Running,
    pub(crate) performers: Performers,
    pub(crate) settler: Settler,
    pub(crate) progress: ProgressSender,
    pub(crate) http: HttpClient,
    pub(crate) observer: Observer,
    pub(crate) starved: AtomicBool,
    pub(crate) draining: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Gives places back and wakes the claimer if it waits for one.
    pub(crate) fn release_places(&self, count: usize) {
        self.places.release(count);
        if self.starved.swap(false, Ordering::AcqRel) {
            self.bus.ready();
        }
    }
}

impl Engine {
    /// Takes back what dead processes held, then begins to perform jobs.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn start(
        store: Arc<dyn Store>,
        registry: Registry,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        config: Config,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let mut random = [0; 10];
        chance.fill(&mut random);
        let instance = InstanceId::from_parts(now, random);
        let reclaimed = store.job_reclaim(instance, config.max_crashes, now).await?;
        let (settler, settles) = settle::channel();
        let (progress, notes) = progress::channel();
        let shared = Arc::new(Shared {
            flows: Arc::new(registry.names()),
            performers: Performers::start(config.workers),
            places: Places::new(config.workers),
            ids: Ids::default(),
            bus: Arc::default(),
            running: Running::default(),
            http: HttpClient::new(config.gate, clock.clone()),
            observer: Observer::default(),
            starved: AtomicBool::new(false),
            draining: watch::Sender::new(false),
            store,
            registry,
            instance,
            clock,
            chance,
            config,
            settler,
            progress,
        });
        shared.observer.reclaimed(&reclaimed);
        tokio::spawn(settle::run(shared.clone(), settles));
        tokio::spawn(progress::run(shared.clone(), notes));
        tokio::spawn(claim::run(shared.clone()));
        services::start(&shared);
        Ok(Self { shared })
    }

    /// The present, as the engine sees it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// The flows that this process performs.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// A job, if it exists.
    ///
    /// # Errors
    /// As every read: a store that cannot be read.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.shared.store.job_get(&[id]).await?.pop().flatten())
    }

    /// A page of jobs, newest first.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn jobs(&self, query: &JobQuery) -> Result<JobPage, StoreError> {
        self.shared.store.job_list(query).await
    }

    /// A job and the measure of its result, waiting up to `wait` for it to end.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn standing(&self, id: JobId, wait: Span) -> Result<Option<Standing>, StoreError> {
        let Some(job) = self.wait(id, wait).await? else { return Ok(None) };
        let extent = self.shared.store.output_extent(id).await?;
        Ok(Some(Standing { job, extent }))
    }

    /// A job as it stands when it has ended, or when `wait` is over, or at a shutdown.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn wait(&self, id: JobId, wait: Span) -> Result<Option<Job>, StoreError> {
        let over = self.now().after(wait);
        let mut draining = self.shared.draining.subscribe();
        let subscription = (wait > Span::ZERO).then(|| self.shared.bus.subscribe(id));
        loop {
            let ended = subscription.as_ref().map(|subscription| {
                let mut ended = Box::pin(subscription.notify.notified());
                ended.as_mut().enable();
                ended
            });
            let job = self.job(id).await?;
            let (Some(ended), Some(found)) = (ended, &job) else { return Ok(job) };
            if found.state.is_final() || *draining.borrow() || self.now() >= over {
                return Ok(job);
            }
            tokio::select! {
                () = ended => {}
                _ = draining.changed() => {}
                () = self.shared.clock.sleep_until(over) => {}
            }
        }
    }

    /// The measure of a published result.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn extent(&self, id: JobId) -> Result<Option<Extent>, StoreError> {
        self.shared.store.output_extent(id).await
    }

    /// Chunks of a published result from place `from` on, about `bytes` of them.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn output(
        &self,
        id: JobId,
        from: u64,
        bytes: usize,
    ) -> Result<Vec<Chunk>, StoreError> {
        self.shared.store.output_read(id, from, bytes).await
    }

    /// The entries of all published results, in pages.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn pairs(&self, skip: u64, limit: usize) -> Result<PairPage, StoreError> {
        self.shared.store.pair_page(skip, limit).await
    }

    /// Failed attempts of a job.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn attempts(&self, query: &AttemptQuery) -> Result<Vec<FailedAttempt>, StoreError> {
        self.shared.store.attempt_list(query).await
    }

    /// How many jobs there are in each state.
    ///
    /// # Errors
    /// See [`job`](Self::job).
    pub async fn tally(&self) -> Result<Tally, StoreError> {
        self.shared.store.tally_read().await
    }

    /// Cancels jobs; work that is under way in this process is asked to stop.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn cancel(&self, ids: &[JobId]) -> Result<Vec<Cancelled>, StoreError> {
        let outcomes = self.shared.store.job_cancel(ids, self.now()).await?;
        for (id, outcome) in ids.iter().zip(&outcomes) {
            if let Cancelled::Done(_) = outcome {
                self.shared.running.stop(*id);
                self.shared.observer.cancelled(*id);
                self.shared.bus.ended(*id);
            }
        }
        Ok(outcomes)
    }

    /// Opens a new run of failed or cancelled jobs.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn retry(&self, ids: &[JobId]) -> Result<Vec<Retried>, StoreError> {
        let outcomes = self.shared.store.job_retry(ids, self.now()).await?;
        self.shared.bus.ready();
        Ok(outcomes)
    }

    /// Sends a signal to a machine.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn signal(
        &self,
        id: JobId,
        name: &Name,
        payload: &Json,
    ) -> Result<Signalled, StoreError> {
        let outcome = self.shared.store.job_signal(id, name, payload).await?;
        self.shared.running.poke(id);
        self.shared.bus.ready();
        Ok(outcome)
    }

    /// How many jobs this process has under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.shared.places.taken()
    }

    /// What has happened since the start of the process.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.observer.counts()
    }

    /// Whether a shutdown has begun.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.is_draining()
    }

    /// Stops taking work on, lets what is under way finish within the grace, hands back the rest.
    pub async fn drain(&self) {
        let shared = &self.shared;
        shared.draining.send_replace(true);
        shared.bus.ready();
        shared.running.poke_all();
        let over = self.now().after(shared.config.grace);
        tokio::select! {
            () = shared.running.until_empty() => {}
            () = shared.clock.sleep_until(over) => self.hand_back().await,
        }
    }

    async fn hand_back(&self) {
        let leases = self.shared.running.leases();
        leases.iter().for_each(|(id, _)| self.shared.running.stop(*id));
        match self.shared.store.job_release(&leases).await {
            Ok(_) => self.shared.observer.handed_back(leases.len()),
            Err(error) => self.shared.observer.store_failed("job_release", &error),
        }
    }
}
