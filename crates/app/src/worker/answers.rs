//! How jobs ended, told to the server: small results and failures many at a time, large results
//! each by itself.

use std::sync::Arc;

use jobmill_engine::clock::Clock;
use jobmill_model::{Class, Fault, Value, limits};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tracing::{debug, info, warn};

use super::held::Job;
use super::perform::Outcome;
use super::{PAUSE, Worker, passes};
use crate::client::{Client, ClientError, Request};

/// Answers of together about this size go into one request.
const BATCH_BYTES: usize = 1024 * 1024;

/// Where ends are told. What waits is bounded by the places and what was told before.
pub(super) struct Answers(UnboundedSender<Ending>);

/// An end and whoever waits until the server knows of it.
pub(super) struct Ending {
    job: Arc<Job>,
    verb: &'static str,
    /// The item of the batch.
    text: String,
    told: oneshot::Sender<()>,
}

pub(super) fn channel() -> (Answers, UnboundedReceiver<Ending>) {
    let (sender, receiver) = unbounded_channel();
    (Answers(sender), receiver)
}

impl Answers {
    /// Tells the end of a job; returns when the server knows, or does not want to.
    pub(super) async fn tell(&self, worker: &Worker, job: &Arc<Job>, outcome: Outcome) {
        if job.is_lost() {
            return;
        }
        match outcome {
            Outcome::Small(result) => {
                self.put(job, "complete", &format!("\"result\":{result}")).await
            }
            Outcome::Failed(fault) => self.put(job, "fail", &failure(job, &fault)).await,
            Outcome::Large(file) => {
                let request = Request::put(format!("/jobs/{}/result", job.id));
                let request = request.file("application/json", file.to_path_buf());
                send(worker, job, &request.lease_token(job.token)).await;
            }
            Outcome::Released => {
                let request = Request::post(format!("/jobs/{}/release", job.id));
                let token = Value::map([("token", Value::from(job.token))]);
                send(worker, job, &request.json(&token)).await;
            }
        }
    }

    async fn put(&self, job: &Arc<Job>, verb: &'static str, fields: &str) {
        let text = format!("{{\"id\":\"{}\",\"token\":{},{fields}}}", job.id, job.token);
        let (told, until_told) = oneshot::channel();
        // Without a receiver the worker has ended.
        if self.0.send(Ending { job: job.clone(), verb, text, told }).is_ok() {
            let _ = until_told.await;
        }
    }
}

fn failure(job: &Job, fault: &Fault) -> String {
    let Fault { code, message, trace, inner, class } = fault;
    let inner = inner.as_deref().unwrap_or_default();
    let Job { id, flow, queue, attempt, .. } = job;
    info!(job = id, flow, queue, attempt, %code, error = message, inner, "attempt failed");
    let text = |text: &str| Value::from(text).to_string();
    let error = format!(
        "\"error\":{{\"type\":{},\"message\":{},\"trace\":{}}}",
        text(code),
        text(message),
        text(trace)
    );
    match class {
        Class::Retry { not_before: Some(span) } => format!("{error},\"retry_after\":\"{span}\""),
        Class::Retry { not_before: None } => error,
        Class::Final | Class::Cancelled => format!("{error},\"retry\":false"),
    }
}

/// Sends a request about one job until the server has an answer to it.
async fn send(worker: &Worker, job: &Job, request: &Request) {
    let client = worker.plan.client();
    let Job { id, flow, queue, attempt, .. } = job;
    loop {
        match client.ask(request).await {
            Ok(_) => return debug!(job = id, flow, queue, attempt, "the end is recorded"),
            Err(error) if passes(&error) || is_being_sent(&error) => {
                warn!(job = id, flow, queue, attempt, %error, "the end cannot be told now");
                worker.clock.pause(PAUSE).await;
            }
            Err(error) => return refuse(job, &error.to_string()),
        }
    }
}

/// Whether the server has not noticed yet that an earlier try broke off.
fn is_being_sent(error: &ClientError) -> bool {
    let ClientError::Refused(refusal) = error else { return false };
    let kind = refusal.document.as_ref().and_then(|it| it.as_map()?.get("type")?.as_str());
    refusal.status == 409 && kind == Some("urn:jobmill:problem:too-many")
}

/// Sends what waits, again and again.
pub(super) async fn run(worker: Arc<Worker>, mut endings: UnboundedReceiver<Ending>) {
    let client = worker.plan.client();
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(ending) => ending,
            None => match endings.recv().await {
                Some(ending) => ending,
                None => return,
            },
        };
        let (mut bytes, mut batch) = (first.text.len(), vec![first]);
        while batch.len() < limits::LEASE_JOBS
            && let Ok(ending) = endings.try_recv()
        {
            bytes += ending.text.len();
            if bytes > BATCH_BYTES {
                next = Some(ending);
                break;
            }
            batch.push(ending);
        }
        let (done, failed): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|ending| ending.verb == "complete");
        for batch in [done, failed] {
            send_batch(&worker, &client, batch).await;
        }
    }
}

async fn send_batch(worker: &Worker, client: &Client, batch: Vec<Ending>) {
    let Some(first) = batch.first() else { return };
    let texts: Vec<&str> = batch.iter().map(|ending| &*ending.text).collect();
    let body = format!("[{}]", texts.join(","));
    let request = Request::post(format!("/jobs/{}", first.verb)).body("application/json", body);
    let answer = loop {
        match client.ask(&request).await {
            Err(error) if passes(&error) => {
                warn!(jobs = batch.len(), %error, "ends cannot be told now");
                worker.clock.pause(PAUSE).await;
            }
            answer => break answer,
        }
    };
    let items = match &answer {
        Ok(answer) => answer.as_map().and_then(|map| map.get("items")?.as_list()),
        Err(error) => {
            batch.iter().for_each(|ending| refuse(&ending.job, &error.to_string()));
            None
        }
    };
    for (ending, item) in batch.iter().zip(items.unwrap_or_default()) {
        let Job { id, flow, queue, attempt, .. } = &*ending.job;
        match refused(item) {
            Some(detail) => refuse(&ending.job, detail),
            None => debug!(job = id, flow, queue, attempt, "the end is recorded"),
        }
    }
    for ending in batch {
        // Nobody waits at the end of the worker.
        let _ = ending.told.send(());
    }
}

fn refuse(job: &Job, detail: &str) {
    let Job { id, flow, queue, attempt, .. } = job;
    warn!(job = id, flow, queue, attempt, detail, "the end is refused");
    job.lose();
}

/// Why the server refused one item of a batch, if it did.
pub(super) fn refused(item: &Value) -> Option<&str> {
    let error = item.as_map()?.get("error")?.as_map()?;
    Some(error.get("detail").and_then(Value::as_str).unwrap_or("the server refuses it"))
}
