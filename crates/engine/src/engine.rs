//! The handle: what the doors may ask of the engine, and its start and stop.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_google::discovery::Call;
use jobmill_google::wire::Error as GoogleError;
use jobmill_model::definition::{Place, definition_of};
use jobmill_model::job::FailedAttempt;
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::queue::Name;
use jobmill_model::retention::Retention;
use jobmill_model::{InstanceId, Job, JobId, Json, Span, Timestamp, Token, Value, limits};
use jobmill_store::{
    AttemptQuery, Cancelled, Deleted, Feed, JobPage, JobQuery, PairPage, Retried, Signalled, Store,
    StoreError, Tally,
};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, watch};

use crate::bus::Bus;
use crate::catalog::Catalog;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::keys::Keys;
use crate::observe::{Counts, Observer};
use crate::ops::gate::Gate;
use crate::ops::google;
use crate::ops::http::HttpClient;
use crate::performers::{Performer, Performers, Threads};
use crate::places::{Kind, Places};
use crate::programs::Programs;
use crate::progress::ProgressSender;
use crate::queue::Holds;
use crate::registry::Registry;
use crate::running::Running;
use crate::settle::Settler;
use crate::unhurried::Unhurried;
use crate::upload::Uploads;
use crate::{claim, definition, progress, services, settle};

/// How the engine is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// How many flows of one call are performed at once; machines wait without a worker. With 0,
    /// flows of one call are left to workers outside.
    pub workers: usize,
    /// How many workers may be lost under one job.
    pub max_crashes: u32,
    /// How long a shutdown waits for work that is under way.
    pub grace: Span,
    /// Where calls out of this process may go.
    pub gate: Gate,
    /// How long jobs that have ended are kept.
    pub retention: Retention,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            workers: 4,
            max_crashes: limits::MAX_CRASHES,
            grace: Span::from_secs(20),
            gate: Gate::default(),
            retention: Retention::default(),
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
    /// By kind.
    flows: [Mutex<Arc<BTreeSet<Name>>>; 2],
    pub(crate) catalog: Catalog,
    pub(crate) keys: Keys,
    pub(crate) instance: InstanceId,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) chance: Arc<dyn Chance>,
    pub(crate) config: Config,
    pub(crate) ids: Ids,
    pub(crate) bus: Arc<Bus>,
    pub(crate) places: Places,
    pub(crate) programs: Programs,
    /// Turns to tell a history.
    pub(crate) histories: Semaphore,
    /// Turns to query documents and rows.
    pub(crate) queries: Semaphore,
    /// Turns of machines that think for long.
    pub(crate) thinkers: Semaphore,
    pub(crate) running: Running,
    pub(crate) performers: Performers,
    pub(crate) settler: Settler,
    pub(crate) progress: ProgressSender,
    pub(crate) http: HttpClient,
    /// For tokens, at addresses that the operator has named.
    pub(crate) token_http: HttpClient,
    pub(crate) uploads: Uploads,
    pub(crate) observer: Observer,
    /// What the store has changed of late, and the word that there is something new.
    pub(crate) feed: Arc<Feed>,
    pub(crate) changed: Arc<Notify>,
    pub(crate) holds: Holds,
    /// Who waits for a place, by kind.
    pub(crate) starved: [AtomicBool; 2],
    pub(crate) draining: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// What jobs of a flow keep busy.
    pub(crate) fn kind_of(&self, flow: &Name) -> Kind {
        if self.registry.is_call(flow) { Kind::Call } else { Kind::Machine }
    }

    /// The flows of a kind that this process performs now.
    pub(crate) fn flows(&self, kind: Kind) -> Arc<BTreeSet<Name>> {
        self.flows[kind as usize].lock().clone()
    }

    /// Whether this process performs jobs of a flow now.
    pub(crate) fn performs(&self, flow: &Name) -> bool {
        self.flows(self.kind_of(flow)).contains(flow)
    }

    /// The definition that jobs of a flow run, if they run one and this process can.
    pub(crate) fn runs(&self, flow: &Name) -> Option<Name> {
        self.registry.workflows().and_then(|_| definition_of(flow))
    }

    /// Performs jobs of one more flow from now on.
    pub(crate) fn add_flow(&self, flow: Name) {
        let kind = self.kind_of(&flow);
        let mut flows = self.flows[kind as usize].lock();
        if !flows.contains(&flow) {
            Arc::make_mut(&mut flows).insert(flow);
            self.bus.ready_here(kind);
        }
    }

    /// Takes up to `wanted` free places; none any more when the process shuts down.
    pub(crate) fn reserve_places(&self, kind: Kind, wanted: usize) -> usize {
        let places = self.places.reserve(kind, wanted);
        if self.is_draining() {
            self.release_places(kind, places);
            return 0;
        }
        places
    }

    /// Gives places back and wakes the claimer if it waits for one, and whoever waits for all.
    pub(crate) fn release_places(&self, kind: Kind, count: usize) {
        self.places.release(kind, count);
        if self.starved[kind as usize].swap(false, Ordering::AcqRel) {
            self.bus.ready_here(kind);
        }
        if self.is_draining() {
            self.running.look_again();
        }
    }

    /// Stops the work on a cancelled job that was under way under `lease` before.
    ///
    /// Another lease may be older than the cancellation, or belong to a run that was opened
    /// since; that one must go on.
    async fn stop_cancelled(&self, id: JobId, lease: Option<Token>) {
        let Some(token) = self.running.token(id) else { return };
        let is_over = lease == Some(token) || {
            let read = self.store.job_get(&[id]).await.unwrap_or_default();
            read.iter().flatten().any(|job| job.state.is_final())
        };
        if is_over {
            self.running.stop_lease(id, token);
        }
    }

    /// Returns when nothing is under way and nothing is on its way here: a place is held from
    /// before a job is leased until it has entered `running`, which it leaves when it is settled.
    async fn until_idle(&self) {
        self.running.until_empty(|| self.places.held() == 0).await;
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
        let threads = Threads::start(config.workers);
        Self::start_with(store, registry, clock, chance, config, threads).await
    }

    /// As [`start`](Self::start), but flows of one call and ops are run by this performer.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn start_with(
        store: Arc<dyn Store>,
        registry: Registry,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        config: Config,
        performer: impl Performer + 'static,
    ) -> Result<Self, StoreError> {
        let now = clock.now();
        let mut random = [0; 10];
        chance.fill(&mut random);
        let instance = InstanceId::from_parts(now, random);
        let reclaimed = store.job_reclaim(instance, config.max_crashes, now).await?;
        let mut flows = registry.names_for(config.workers);
        if registry.workflows().is_some() {
            flows.extend(definition::stored_flows(&*store).await?);
        }
        let (calls, machines) = flows.into_iter().partition(|flow| registry.is_call(flow));
        let catalog = Catalog::load(&*store).await?;
        let keys = Keys::load(store.clone()).await?;
        let holds = Holds::load(&*store, now).await?;
        let (settler, settles) = settle::channel();
        let (progress, notes) = progress::channel();
        let shared = Arc::new(Shared {
            flows: [calls, machines].map(|flows| Mutex::new(Arc::new(flows))),
            catalog,
            keys,
            programs: Programs::default(),
            histories: Semaphore::new(limits::HISTORIES_AT_ONCE),
            queries: Semaphore::new(jobmill_google::limits::QUERIES_AT_ONCE),
            thinkers: Semaphore::new(config.workers.max(1)),
            performers: Performers::new(performer),
            places: Places::new(config.workers.max(1)),
            ids: Ids::default(),
            bus: Arc::default(),
            running: Running::default(),
            http: HttpClient::new(config.gate, clock.clone()),
            token_http: HttpClient::ungated(clock.clone()),
            uploads: Uploads::default(),
            observer: Observer::default(),
            feed: store.events(),
            changed: Arc::default(),
            holds,
            starved: Default::default(),
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
        let changed = shared.changed.clone();
        shared.feed.listen(move || changed.notify_waiters());
        // No worker outside is to blame for a silence while the server was away.
        shared.store.lease_renew(now).await?;
        tokio::spawn(settle::run(shared.clone(), settles));
        tokio::spawn(progress::run(shared.clone(), notes));
        for kind in Kind::ALL {
            tokio::spawn(claim::run(shared.clone(), kind));
        }
        services::start(&shared, now);
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

    /// Where definitions live that are deployed without saying so, if this process runs any.
    #[must_use]
    pub fn home(&self) -> Option<&Place> {
        self.shared.registry.workflows().map(|workflows| &workflows.home)
    }

    /// What the addresses of this process begin with, as others see them, if it runs workflows.
    #[must_use]
    pub fn public_url(&self) -> Option<&str> {
        self.shared.registry.workflows().map(|workflows| &*workflows.public_url)
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
                biased;
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
        let (shared, ids) = (self.shared.clone(), ids.to_vec());
        let cancel = async move {
            let leases: Vec<_> = ids.iter().map(|id| shared.running.token(*id)).collect();
            let outcomes = shared.store.job_cancel(&ids, shared.clock.now()).await?;
            for ((id, lease), outcome) in ids.iter().zip(leases).zip(&outcomes) {
                if let Cancelled::Done(_) = outcome {
                    shared.stop_cancelled(*id, lease).await;
                    if tracing::enabled!(tracing::Level::DEBUG) {
                        let found = shared.store.job_get(&[*id]).await.unwrap_or_default();
                        found.iter().flatten().for_each(|job| shared.observer.cancelled(job));
                    }
                    shared.bus.ended(*id);
                }
            }
            shared.made_room();
            // There may be somebody to tell.
            shared.bus.ready_here(Kind::Machine);
            Ok(outcomes)
        };
        Unhurried::new(cancel).await
    }

    /// Opens a new run of failed or cancelled jobs.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn retry(&self, ids: &[JobId]) -> Result<Vec<Retried>, StoreError> {
        let (shared, ids) = (self.shared.clone(), ids.to_vec());
        let retry = async move {
            let outcomes = shared.store.job_retry(&ids, shared.clock.now()).await?;
            shared.bus.ready();
            Ok(outcomes)
        };
        Unhurried::new(retry).await
    }

    /// Deletes jobs that have ended.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub async fn delete(&self, ids: &[JobId]) -> Result<Vec<Deleted>, StoreError> {
        let (shared, ids) = (self.shared.clone(), ids.to_vec());
        let delete = async move {
            let outcomes = shared.store.job_delete(&ids).await?;
            if outcomes.contains(&Deleted::Done) {
                shared.bus.litter();
            }
            Ok(outcomes)
        };
        Unhurried::new(delete).await
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
        let (shared, name, payload) = (self.shared.clone(), name.clone(), payload.clone());
        let signal = async move {
            let outcome = shared.store.job_signal(id, &name, &payload).await?;
            shared.running.poke(id);
            shared.bus.ready();
            Ok(outcome)
        };
        Unhurried::new(signal).await
    }

    /// Answers a call of one of Google's services from the store.
    ///
    /// # Errors
    /// As the service would refuse it.
    pub async fn google(&self, call: Call) -> Result<Value, GoogleError> {
        let shared = self.shared.clone();
        Unhurried::new(async move { google::answer(&shared, &call, None).await }).await
    }

    /// Makes a call of one of Google's services as a connector does: wherever the service is.
    ///
    /// # Errors
    /// As the service would refuse it.
    pub async fn connector_call(&self, call: Call) -> Result<Value, GoogleError> {
        let shared = self.shared.clone();
        Unhurried::new(async move { google::answer_as_connector(&shared, &call).await }).await
    }

    /// How many jobs this process has under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.shared.places.held()
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
        tokio::select! {
            biased;
            () = shared.until_idle() => {}
            () = shared.clock.pause(shared.config.grace) => self.hand_back().await,
        }
        if let Err(error) = shared.keys.note_uses().await {
            shared.observer.store_failed("key_touch", &error);
        }
    }

    async fn hand_back(&self) {
        let leases = self.shared.running.give_back_all();
        match self.shared.store.job_release(&leases).await {
            Ok(held) => self.shared.observer.handed_back(held.iter().filter(|it| **it).count()),
            Err(error) => self.shared.observer.store_failed("job_release", &error),
        }
    }
}
