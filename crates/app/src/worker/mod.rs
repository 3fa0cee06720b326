//! A worker as a process of its own: performs the built-in flows for a server, over the routes
//! that workers in any language use.
//!
//! It holds as many jobs as it has places, extends their leases together, and tells their ends
//! many at a time. A server that is away or busy is asked again; leases that end meanwhile are
//! lost, and with them what was done under them.

mod answers;
mod held;
mod perform;

use std::pin::pin;
use std::sync::Arc;

use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_flow::Flow;
use jobmill_model::{Span, Value};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::client::{Address, Client, ClientError, Request};
use crate::config::Secret;
use answers::Answers;
use held::{Held, Job};
use perform::Outcome;

/// How long one call for work waits.
const WAIT: Span = Span::from_secs(20);
/// How long to wait before a server that was away or busy is asked again.
const PAUSE: Span = Span::from_secs(1);
/// How long the last words may take at the end.
const FAREWELL: Span = Span::from_secs(5);

/// What to perform, for whom.
pub(crate) struct Plan {
    pub(crate) address: Address,
    pub(crate) key: Option<Secret>,
    /// Who calls, for people who look at the job.
    pub(crate) name: String,
    pub(crate) queue: String,
    pub(crate) flows: Vec<Arc<dyn Flow>>,
    /// How many jobs are performed at once.
    pub(crate) places: usize,
    /// How long a job is kept without a heartbeat.
    pub(crate) lease: Span,
    /// How long a stop waits for work that is under way.
    pub(crate) grace: Span,
}

/// What all parts of the worker have at hand.
struct Worker {
    plan: Plan,
    clock: SystemClock,
    held: Held,
    answers: Answers,
}

impl Plan {
    /// A client of its own, with a connection of its own.
    fn client(&self) -> Client {
        Client::new(self.address.clone(), self.key.clone())
    }

    /// The call for so many jobs.
    fn call(&self, max: usize) -> Request {
        let flows = self.flows.iter().map(|flow| Value::from(flow.name()));
        let body = Value::map([
            ("worker", Value::from(self.name.as_str())),
            ("flows", Value::list(flows)),
            ("max", Value::from(max)),
            ("wait", Value::from(WAIT.to_string())),
            ("lease", Value::from(self.lease.to_string())),
        ]);
        Request::post(format!("/queues/{}/lease", self.queue)).json(&body)
    }
}

/// Whether asking again may help: nothing is wrong with what was asked.
fn passes(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable(..) | ClientError::Broken(..) => true,
        ClientError::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500..),
        ClientError::Unsendable(_) | ClientError::Strange(..) => false,
    }
}

/// Performs jobs until `stop`, then finishes what is under way within the grace and hands back
/// the rest.
///
/// # Errors
/// A server that refuses to lease jobs to this worker.
pub(crate) async fn run(plan: Plan, stop: impl Future<Output = ()>) -> Result<(), ClientError> {
    let (answers, endings) = answers::channel();
    let (clock, held) = (SystemClock::default(), Held::default());
    let worker = Arc::new(Worker { plan, clock, held, answers });
    let telling = tokio::spawn(answers::run(worker.clone(), endings));
    let beating = tokio::spawn(held::keep(worker.clone()));
    let mut jobs = JoinSet::new();
    let ended = take_jobs(&worker, &mut jobs, stop).await;
    drain(&worker, &mut jobs).await;
    beating.abort();
    telling.abort();
    ended
}

/// Leases jobs while there are places for them, until `stop`.
async fn take_jobs(
    worker: &Arc<Worker>,
    jobs: &mut JoinSet<()>,
    stop: impl Future<Output = ()>,
) -> Result<(), ClientError> {
    let places = Arc::new(Semaphore::new(worker.plan.places));
    let client = worker.plan.client();
    let mut stop = pin!(stop);
    loop {
        let asking = async {
            let places = free(&places).await;
            let answer = client.ask(&worker.plan.call(places.len())).await;
            (places, answer)
        };
        let (places, answer) = tokio::select! {
            () = &mut stop => return Ok(()),
            asked = asking => asked,
        };
        while jobs.try_join_next().is_some() {}
        match answer {
            Ok(answer) => begin(worker, jobs, places, &answer),
            Err(error) if passes(&error) => {
                warn!(%error, "no jobs can be leased now");
                drop(places);
                tokio::select! {
                    () = &mut stop => return Ok(()),
                    () = worker.clock.pause(PAUSE) => {}
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// All free places, once there is one.
async fn free(places: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let first = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    let more = std::iter::from_fn(|| places.clone().try_acquire_owned().ok());
    std::iter::once(first).chain(more).collect()
}

/// Sets leased jobs to work, each on a place of its own.
fn begin(
    worker: &Arc<Worker>,
    jobs: &mut JoinSet<()>,
    places: Vec<OwnedSemaphorePermit>,
    answer: &Value,
) {
    let leased = answer.as_map().and_then(|map| map.get("jobs")?.as_list());
    for (leased, place) in leased.unwrap_or_default().iter().zip(places) {
        let Some((job, input, params)) = Job::read(leased, &worker.plan.queue) else {
            warn!("a leased job cannot be read");
            continue;
        };
        let job = Arc::new(job);
        worker.held.enter(job.clone());
        let worker = worker.clone();
        jobs.spawn(async move {
            let flow = worker.plan.flows.iter().find(|flow| flow.name() == job.flow).cloned();
            let work = job.clone();
            let outcome = tokio::task::spawn_blocking(move || match flow {
                Some(flow) => perform::perform(&*flow, &work, &input, &params),
                None => Outcome::Released,
            });
            let outcome = outcome.await.unwrap_or_else(|_| perform::panicked());
            drop(place);
            worker.answers.tell(&worker, &job, outcome).await;
            worker.held.leave(&job);
        });
    }
}

/// Lets what is under way finish within the grace; hands back the rest.
async fn drain(worker: &Arc<Worker>, jobs: &mut JoinSet<()>) {
    let finished = tokio::select! {
        () = async { while jobs.join_next().await.is_some() {} } => true,
        () = worker.clock.pause(worker.plan.grace) => false,
    };
    if !finished {
        // Work that stops for this hands its job back.
        let count = worker.held.stop_all();
        info!(count, "jobs are handed back");
        tokio::select! {
            () = async { while jobs.join_next().await.is_some() {} } => {}
            () = worker.clock.pause(FAREWELL) => {}
        }
    }
}
