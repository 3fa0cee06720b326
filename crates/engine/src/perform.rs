//! Performs one claimed job: begin, run the flow, judge its end, pass it on to be settled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jobmill_flow::output::ChunkWriter;
use jobmill_flow::{Flow, Watch, Work as FlowWork};
use jobmill_model::job::{Counters, Progress, Spec, judge};
use jobmill_model::output::{Chunk, Extent};
use jobmill_model::{Fault, JobId, Json, Timestamp, Token, Value};
use jobmill_store::{Claimed, Settle};
use tokio::task::AbortHandle;

use crate::drive;
use crate::engine::Shared;
use crate::observe::Subject;
use crate::places::Kind;
use crate::progress::Reporter;
use crate::registry::Work;
use crate::running::Handle;
use crate::settle::Ending;
use crate::webhook;

/// A job on its way through this process.
pub(crate) struct Task {
    pub(crate) id: JobId,
    pub(crate) token: Token,
    pub(crate) spec: Spec,
    pub(crate) input: Content,
    pub(crate) params: Content,
    pub(crate) attempt: u32,
    pub(crate) run: u32,
    pub(crate) started_at: Timestamp,
}

/// A document of the job: read when it was handed over, text when it was claimed.
pub(crate) enum Content {
    Read(Value),
    Text(Json),
}

impl Content {
    fn into_value(self) -> Result<Value, Fault> {
        match self {
            Self::Read(value) => Ok(value),
            Self::Text(text) => text.to_value().map_err(|error| {
                Fault::last("StoreDamaged", "the stored input cannot be read")
                    .with_inner(error.to_string())
            }),
        }
    }
}

impl Task {
    pub(crate) fn claimed(claimed: Claimed) -> Self {
        let job = claimed.job;
        Self {
            id: job.id,
            token: claimed.token,
            input: Content::Text(job.input),
            params: Content::Text(job.params),
            attempt: job.attempt,
            run: job.run,
            started_at: job.started_at.unwrap_or(job.created_at),
            spec: job.spec,
        }
    }

    /// What lines of the log are about.
    pub(crate) fn subject(&self) -> Subject {
        let (flow, queue) = (self.spec.flow.clone(), self.spec.queue.clone());
        Subject { job: self.id, flow, queue, attempt: self.attempt }
    }

    pub(crate) fn documents(&mut self) -> Result<(Value, Value), Fault> {
        let take = |content: &mut Content| std::mem::replace(content, Content::Read(Value::Null));
        Ok((take(&mut self.input).into_value()?, take(&mut self.params).into_value()?))
    }
}

/// Chunks that wait for this many bytes are written; fewer go with the settlement.
pub(crate) const APPEND_BYTES: usize = 1024 * 1024;

/// Sets a leased job to work. Its place is held already.
pub(crate) fn begin(shared: &Arc<Shared>, task: Task) {
    let handle = shared.running.enter(task.id, task.token);
    let shared = shared.clone();
    match shared.registry.work(&task.spec.flow).cloned() {
        Some(Work::Flow(flow)) => {
            let runtime = tokio::runtime::Handle::current();
            let performers = shared.clone();
            performers.performers.push(move || perform(&shared, &*flow, task, &handle, &runtime));
        }
        Some(Work::Program(program)) => {
            tokio::spawn(async move { drive::run(&shared, &*program, task, &handle).await });
        }
        Some(Work::Webhook(key)) => {
            tokio::spawn(async move { webhook::run(&shared, &key, task, &handle).await });
        }
        None if let Some(definition) = shared.runs(&task.spec.flow) => {
            tokio::spawn(async move {
                drive::run_execution(&shared, &definition, task, &handle).await;
            });
        }
        None => {
            let fault = Fault::last("UnknownFlow", "this process does not know the job's flow");
            shared.release_places(Kind::Machine, 1);
            end(&shared, &task, Err(fault), None);
        }
    }
}

fn perform(
    shared: &Arc<Shared>,
    flow: &dyn Flow,
    mut task: Task,
    handle: &Arc<Handle>,
    runtime: &tokio::runtime::Handle,
) {
    if shared.is_draining() {
        shared.settler.send(Ending::HandBack(task.id, task.token));
        shared.release_places(Kind::Call, 1);
        return;
    }
    let began = shared.clock.monotonic();
    let deadline = watch_deadline(shared, &task, handle, runtime);
    let reporter = Reporter::new(shared, task.id, task.token);
    let watch = FlowWatch { handle, reporter: &reporter };
    let outcome = task
        .documents()
        .and_then(|(input, params)| run_flow(shared, flow, &task, &watch, &input, &params));
    if let Some(deadline) = deadline {
        deadline.abort();
    }
    let took = shared.clock.monotonic().saturating_sub(began);
    shared.places.learn(took);
    shared.observer.metrics.took(&task.spec.flow, took);
    shared.release_places(Kind::Call, 1);
    match outcome {
        Err(_) if handle.is_given_back() => {
            shared.settler.send(Ending::HandBack(task.id, task.token));
        }
        outcome => end(shared, &task, outcome, reporter.last_word()),
    }
}

fn run_flow(
    shared: &Shared,
    flow: &dyn Flow,
    task: &Task,
    watch: &FlowWatch<'_>,
    input: &Value,
    params: &Value,
) -> Result<Made, Fault> {
    let mut pending = Pending { shared, task, handle: watch.handle, chunks: Vec::new(), bytes: 0 };
    let mut output = ChunkWriter::new(|chunk| pending.push(chunk));
    let ran = catch_unwind(AssertUnwindSafe(|| {
        flow.run(FlowWork { input, params, output: &mut output, watch })?;
        output.finish()
    }));
    let extent = ran.unwrap_or_else(|panic| Err(panicked(&*panic)));
    let extent = extent.map_err(|fault| traced(fault, flow))?;
    Ok((extent, pending.chunks))
}

/// The failure with a frame for the flow, unless the flow has written one itself.
fn traced(fault: Fault, flow: &dyn Flow) -> Fault {
    let frame = format!("flow {}", flow.name());
    if fault.trace.lines().any(|line| line.ends_with(&frame)) { fault } else { fault.at(frame) }
}

/// A result, and the chunks of it that are not written yet.
pub(crate) type Made = (Extent, Vec<Chunk>);

/// Judges the end of an attempt and passes it on to be settled, with how far it came at last if
/// that was not noted.
pub(crate) fn end(
    shared: &Shared,
    task: &Task,
    outcome: Result<Made, Fault>,
    progress: Option<Progress>,
) {
    let subject = task.subject();
    if let Err(fault) = &outcome {
        shared.observer.attempt_failed(&subject, fault);
    }
    let counters = Counters {
        attempt: task.attempt,
        max_attempts: task.spec.max_attempts,
        backoff: task.spec.backoff,
    };
    let (outcome, chunks) = match outcome {
        Ok((extent, chunks)) => (Ok(extent), chunks),
        Err(fault) => (Err(fault), Vec::new()),
    };
    let now = shared.clock.now();
    let verdict = judge(counters, outcome, now, shared.chance.fraction());
    let settle = Settle { id: task.id, token: task.token, verdict, chunks, progress, now };
    let is_told = task.spec.webhook.is_some();
    shared.settler.send(Ending::Settle(settle, subject, is_told));
}

/// The failure of an attempt that took longer than it may.
pub(crate) fn timed_out(task: &Task) -> Fault {
    jobmill_model::job::timed_out(task.spec.timeout.unwrap_or_default())
}

/// Ends the attempt from outside when its time is over; what it still does is refused then.
fn watch_deadline(
    shared: &Arc<Shared>,
    task: &Task,
    handle: &Arc<Handle>,
    runtime: &tokio::runtime::Handle,
) -> Option<AbortHandle> {
    let timeout = task.spec.timeout?;
    let (shared, handle) = (shared.clone(), handle.clone());
    let task = Task {
        id: task.id,
        token: task.token,
        spec: task.spec.clone(),
        input: Content::Read(Value::Null),
        params: Content::Read(Value::Null),
        attempt: task.attempt,
        run: task.run,
        started_at: task.started_at,
    };
    // Counted from here, not from when the runtime comes round to it.
    let over = shared.clock.pause(timeout);
    let watch = async move {
        over.await;
        // Before the flow can say that it was stopped, which would count as a cancellation.
        end(&shared, &task, Err(timed_out(&task)), None);
        handle.stop();
    };
    Some(runtime.spawn(watch).abort_handle())
}

/// Chunks on their way to the store.
struct Pending<'a> {
    shared: &'a Shared,
    task: &'a Task,
    handle: &'a Handle,
    chunks: Vec<Chunk>,
    bytes: usize,
}

impl Pending<'_> {
    fn push(&mut self, chunk: Chunk) -> Result<(), Fault> {
        self.bytes += chunk.text.len();
        self.chunks.push(chunk);
        if self.bytes < APPEND_BYTES {
            return Ok(());
        }
        self.bytes = 0;
        let chunks = std::mem::take(&mut self.chunks);
        let append = self.shared.store.output_append(self.task.id, self.task.token, chunks);
        match futures::executor::block_on(append) {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.handle.stop();
                Err(Fault::cancelled())
            }
            Err(error) => Err(Fault::retry("StoreFailed", error.to_string())),
        }
    }
}

/// What a flow sees of its watchers.
struct FlowWatch<'a> {
    handle: &'a Handle,
    reporter: &'a Reporter<'a>,
}

impl Watch for FlowWatch<'_> {
    fn stopped(&self) -> bool {
        self.handle.is_stopped()
    }

    fn progress(&self, done: u64, total: u64, message: &str) {
        self.reporter.report(done, total, message);
    }
}

/// A panic as a final failure: the same work would panic again.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> Fault {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    Fault::last("Panic", format!("the flow panicked: {text}"))
}
