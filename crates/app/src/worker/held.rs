//! The jobs that the worker holds, and how it keeps them: heartbeats and progress.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_engine::clock::Clock;
use jobmill_flow::Watch;
use jobmill_model::{Span, Value, limits};
use parking_lot::Mutex;
use tracing::{info, warn};

use super::Worker;
use crate::client::{Client, ClientError, Request};

/// Progress is told this often at most.
const TELL: Span = Span::from_secs(1);
/// So many heartbeats are sent while a lease lasts.
const BEATS: u64 = 3;

/// A job under a lease.
pub(super) struct Job {
    pub(super) id: String,
    pub(super) flow: String,
    pub(super) queue: String,
    pub(super) attempt: i64,
    pub(super) token: u64,
    /// The work should stop: the lease has ended, or the worker ends.
    stopped: AtomicBool,
    /// The lease has ended.
    lost: AtomicBool,
    /// What is to be told: done, total, message.
    progress: Mutex<Option<(u64, u64, String)>>,
}

impl Job {
    /// Reads a job as it was leased, with its input and its params.
    pub(super) fn read(leased: &Value, queue: &str) -> Option<(Self, Value, Value)> {
        let fields = leased.as_map()?;
        let text = |name| Some(fields.get(name)?.as_str()?.to_owned());
        let token = fields.get("lease")?.as_map()?.get("token")?.as_int()?;
        let job = Self {
            id: text("id")?,
            flow: text("flow")?,
            queue: queue.to_owned(),
            attempt: fields.get("attempt")?.as_int()?,
            token: u64::try_from(token).ok()?,
            stopped: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            progress: Mutex::new(None),
        };
        Some((job, fields.get("input")?.clone(), fields.get("params")?.clone()))
    }

    /// The lease has ended: whatever comes of the work is of no use.
    pub(super) fn lose(&self) {
        self.lost.store(true, Ordering::Release);
        self.stopped.store(true, Ordering::Release);
    }

    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }
}

impl Watch for Job {
    fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn progress(&self, done: u64, total: u64, message: &str) {
        *self.progress.lock() = Some((done, total, message.to_owned()));
    }
}

/// The jobs that are held, by id.
#[derive(Default)]
pub(super) struct Held(Mutex<BTreeMap<String, Arc<Job>>>);

impl Held {
    pub(super) fn enter(&self, job: Arc<Job>) {
        self.0.lock().insert(job.id.clone(), job);
    }

    /// A job that was lost and leased again meanwhile stays.
    pub(super) fn leave(&self, job: &Arc<Job>) {
        let mut held = self.0.lock();
        if held.get(&job.id).is_some_and(|here| Arc::ptr_eq(here, job)) {
            held.remove(&job.id);
        }
    }

    /// Asks all work to stop; answers how much there is.
    pub(super) fn stop_all(&self) -> usize {
        let held = self.0.lock();
        held.values().for_each(|job| job.stopped.store(true, Ordering::Release));
        held.len()
    }

    fn all(&self) -> Vec<Arc<Job>> {
        self.0.lock().values().filter(|job| !job.is_lost()).cloned().collect()
    }
}

/// Extends leases and tells progress, for as long as the worker runs.
pub(super) async fn keep(worker: Arc<Worker>) {
    let client = worker.plan.client();
    let beat = worker.plan.lease.as_millis() / BEATS;
    let tick = Span::from_millis(beat.min(TELL.as_millis()));
    let mut silent = 0;
    loop {
        worker.clock.pause(tick).await;
        silent += tick.as_millis();
        let jobs = worker.held.all();
        for job in &jobs {
            let news = job.progress.lock().take();
            if let Some(news) = news {
                tell(&client, job, news).await;
            }
        }
        if silent >= beat {
            silent = 0;
            for jobs in jobs.chunks(limits::LEASE_JOBS) {
                extend(&client, jobs).await;
            }
        }
    }
}

async fn tell(client: &Client, job: &Job, (done, total, message): (u64, u64, String)) {
    let report = Value::map([
        ("token", Value::from(job.token)),
        ("done", done.into()),
        ("total", total.into()),
        ("message", message.into()),
    ]);
    let request = Request::post(format!("/jobs/{}/progress", job.id)).json(&report);
    match client.ask(&request).await {
        Ok(_) => {}
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 404 | 409) => {
            lost(job, &refusal.detail);
        }
        Err(error) => {
            let Job { id, flow, queue, attempt, .. } = job;
            warn!(job = id, flow, queue, attempt, %error, "progress cannot be told");
        }
    }
}

async fn extend(client: &Client, jobs: &[Arc<Job>]) {
    let beats = jobs
        .iter()
        .map(|job| Value::map([("id", Value::from(job.id.as_str())), ("token", job.token.into())]));
    match client.ask(&Request::post("/jobs/heartbeat").json(&Value::list(beats))).await {
        Ok(answer) => {
            let items = answer.as_map().and_then(|map| map.get("items")?.as_list());
            for (job, item) in jobs.iter().zip(items.unwrap_or_default()) {
                if let Some(detail) = super::answers::refused(item) {
                    lost(job, detail);
                }
            }
        }
        Err(error) => warn!(%error, "leases cannot be extended now"),
    }
}

fn lost(job: &Job, detail: &str) {
    let Job { id, flow, queue, attempt, .. } = job;
    info!(job = id, flow, queue, attempt, detail, "the lease has ended");
    job.lose();
}
