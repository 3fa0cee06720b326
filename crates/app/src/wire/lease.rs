//! What workers outside send and get: calls for work, leases, heartbeats, answers.

use jobmill_engine::outside::Want;
use jobmill_model::fault::{Class, pointer_below};
use jobmill_model::job::Progress;
use jobmill_model::queue::Name;
use jobmill_model::{Fault, JobId, Problem, Span, State, Timestamp, Token, Value, limits};
use jobmill_store::Lent;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::id::Id;
use super::job::raw;
use super::moment::Moment;
use super::problem::Document;
use super::reader::{MOST_PROBLEMS, Reader, expected};
use super::state::{Word, Words};

/// A call for work.
#[derive(ToSchema)]
#[schema(as = LeaseCall)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Call {
    /// Who calls, for people who look at the job.
    #[schema(example = "resizer-1", max_length = 128)]
    worker: String,
    /// The flows that it can perform; each is declared, or a built-in flow of one call.
    #[schema(min_items = 1, max_items = 256)]
    flows: Vec<String>,
    /// The most jobs to lease.
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    max: Option<u32>,
    /// How long to wait for the first job, as a duration of at most a minute.
    #[schema(default = "0s", example = "20s")]
    wait: Option<String>,
    /// How long a lease lasts without a heartbeat, from a second to a day, as a duration; as
    /// the flow's declaration says if it is not given.
    #[schema(example = "30s")]
    lease: Option<String>,
}

/// The shortest and the longest lease.
const LEASE: std::ops::RangeInclusive<u64> = limits::LEASE_MIN_MILLIS..=limits::LEASE_MAX_MILLIS;

/// Reads the length of a lease.
pub(crate) fn read_span(reader: &mut Reader<'_, '_>, field: &str) -> Option<Span> {
    let span = reader.span(field, *LEASE.end())?;
    if !LEASE.contains(&span.as_millis()) {
        let least = Span::from_millis(*LEASE.start());
        reader.refuse(field, format!("at least {least}, got {span}"));
    }
    Some(span)
}

/// Reads a call for work. With a problem noted, what it answers is of no use.
pub(crate) fn read_call(body: &Value, queue: Name, problems: &mut Vec<Problem>) -> Option<Want> {
    let mut reader = Reader::object(body, "", problems)?;
    reader.only(&["worker", "flows", "max", "wait", "lease"]);
    if reader.value("worker").is_none() {
        reader.refuse("worker", "give the worker a name, such as its host and process");
    }
    let worker = reader.name("worker");
    let flows = reader.names("flows", limits::LEASE_FLOWS);
    if reader.value("flows").is_none_or(|value| value.as_list().is_some_and(<[_]>::is_empty)) {
        reader.refuse("flows", "name the flows that the worker can perform");
    }
    let most = i64::try_from(limits::LEASE_JOBS).unwrap_or(i64::MAX);
    let max = reader.whole("max", 1..=most).and_then(|max| usize::try_from(max).ok());
    let wait = reader.span("wait", limits::WAIT_MILLIS).unwrap_or_default();
    let lease = read_span(&mut reader, "lease");
    Some(Want { worker: worker?, queue, flows, max: max.unwrap_or(1), lease, wait })
}

/// Leased jobs, none if there were none in time.
#[derive(Serialize, ToSchema)]
#[schema(as = LeasedJobs)]
pub(crate) struct LeasedJobs<'a> {
    jobs: Vec<Leased<'a>>,
}

/// A job under a lease.
#[derive(Serialize, ToSchema)]
#[schema(as = LeasedJob)]
struct Leased<'a> {
    id: Id,
    /// The flow to perform.
    #[schema(value_type = String)]
    flow: &'a str,
    /// What it works on.
    #[schema(value_type = Value)]
    input: &'a RawValue,
    /// How it works.
    #[schema(value_type = Object)]
    params: &'a RawValue,
    /// Which try of the flow this is, from 1.
    attempt: u32,
    /// How many tries there may be.
    max_attempts: u32,
    lease: Lease,
}

/// The right to perform a job for a while.
#[derive(Serialize, ToSchema)]
#[schema(as = Lease)]
struct Lease {
    /// To be sent with everything that is done under the lease.
    token: u64,
    /// When the lease ends unless it is extended.
    expires_at: Moment,
}

impl<'a> From<&'a [Lent]> for LeasedJobs<'a> {
    fn from(lent: &'a [Lent]) -> Self {
        Self { jobs: lent.iter().map(Leased::from).collect() }
    }
}

impl<'a> From<&'a Lent> for Leased<'a> {
    fn from(lent: &'a Lent) -> Self {
        let job = &lent.job;
        Self {
            id: Id(job.id),
            flow: job.spec.flow.as_str(),
            input: raw(&job.input),
            params: raw(&job.params),
            attempt: job.attempt,
            max_attempts: job.spec.max_attempts,
            lease: Lease { token: lent.token.0, expires_at: Moment(lent.expires_at) },
        }
    }
}

/// A heartbeat.
#[derive(ToSchema)]
#[schema(as = Heartbeat)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Beat {
    /// In a list: the job.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// The lease; or the header `Lease-Token`.
    token: Option<u64>,
    /// How long the lease lasts from now on without a heartbeat; as before if not given.
    #[schema(example = "30s")]
    lease: Option<String>,
}

/// How far a job has come.
#[derive(ToSchema)]
#[schema(as = ProgressReport)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Report {
    /// The lease; or the header `Lease-Token`.
    token: Option<u64>,
    /// Units of work done.
    done: u64,
    /// Units of work in all; 0 when not known.
    #[schema(default = 0)]
    total: Option<u64>,
    /// What it is doing.
    message: Option<String>,
}

/// The result of a job.
#[derive(ToSchema)]
#[schema(as = Completion)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Completion {
    /// In a list: the job.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// The lease; or the header `Lease-Token`.
    token: Option<u64>,
    /// What the job came to.
    #[schema(value_type = Option<Value>)]
    result: (),
}

/// The failure of an attempt.
#[derive(ToSchema)]
#[schema(as = AttemptFailure)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Failing {
    /// In a list: the job.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// The lease; or the header `Lease-Token`.
    token: Option<u64>,
    error: FailingError,
    /// Whether another try may succeed; if not, the job fails at once.
    #[schema(default = true)]
    retry: Option<bool>,
    /// The least time before the next try, as a duration; the job's backoff may be longer.
    #[schema(example = "30s")]
    retry_after: Option<String>,
}

/// What went wrong.
#[derive(ToSchema)]
#[schema(as = AttemptFailureError)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct FailingError {
    /// A stable name of the kind of error.
    #[schema(example = "ConnectionRefused")]
    r#type: String,
    /// What happened, for people.
    message: Option<String>,
    /// Where it happened.
    trace: Option<String>,
}

/// Only the lease.
#[derive(ToSchema)]
#[schema(as = LeaseToken)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct TokenOnly {
    /// The lease; or the header `Lease-Token`.
    token: Option<u64>,
}

/// A lease that goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = Extended)]
pub(crate) struct Extended {
    pub(crate) id: Id,
    /// When it ends unless it is extended.
    pub(crate) expires_at: Moment,
}

impl Extended {
    pub(crate) fn new(id: JobId, end: Timestamp) -> Self {
        Self { id: Id(id), expires_at: Moment(end) }
    }
}

/// A job whose lease has ended as its worker wished.
#[derive(Serialize, ToSchema)]
#[schema(as = Ended)]
pub(crate) struct Ended {
    pub(crate) id: Id,
    /// Where the job stands now.
    #[schema(value_type = Words)]
    pub(crate) status: Word,
}

impl Ended {
    pub(crate) fn new(id: JobId, state: State) -> Self {
        Self { id: Id(id), status: Word(state) }
    }
}

/// One answer of several: what was done, or why not.
#[derive(Serialize, ToSchema)]
#[schema(as = BatchItem)]
pub(crate) struct Item<'a> {
    pub(crate) id: Id,
    /// Where the job stands now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Words, required = false, nullable = false)]
    pub(crate) status: Option<Word>,
    /// When the lease ends unless it is extended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub(crate) expires_at: Option<Moment>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub(crate) error: Option<Document<'a>>,
}

/// The token in a body, or else the one of the header.
pub(crate) fn read_token(reader: &mut Reader<'_, '_>, header: Option<Token>) -> Token {
    let token = reader.whole("token", 0..=i64::MAX).map(|token| Token(token.unsigned_abs()));
    if reader.value("token").is_none() && header.is_none() {
        reader.refuse("token", "send the lease's token here or in the header `Lease-Token`");
    }
    token.or(header).unwrap_or_default()
}

/// How far a job has come.
pub(crate) fn read_progress(reader: &mut Reader<'_, '_>) -> Progress {
    let mut count = |field| reader.whole(field, 0..=i64::MAX).map(i64::unsigned_abs);
    let (done, total) = (count("done"), count("total"));
    if reader.value("done").is_none() {
        reader.refuse("done", "say how much is done, as a whole number");
    }
    let message = reader.text("message").unwrap_or_default().to_owned();
    Progress { done: done.unwrap_or(0), total: total.unwrap_or(0), message }
}

/// The result of a completed attempt; one that is not given is `null`.
pub(crate) fn read_result(reader: &mut Reader<'_, '_>) -> Result<Value, Fault> {
    Ok(reader.value("result").cloned().unwrap_or_default())
}

/// The failure of an attempt.
pub(crate) fn read_failure(reader: &mut Reader<'_, '_>) -> Result<Value, Fault> {
    let retry_after = reader.span("retry_after", limits::DELAY_MILLIS);
    let retry = match reader.value("retry") {
        None => true,
        Some(Value::Bool(retry)) => *retry,
        Some(other) => {
            reader.refuse("retry", expected("a boolean", other));
            true
        }
    };
    if !retry && retry_after.is_some() {
        reader.refuse("retry_after", "there is no next try where `retry` is false");
    }
    let class = if retry { Class::Retry { not_before: retry_after } } else { Class::Final };
    let fault = match reader.value("error") {
        Some(value @ Value::Map(_)) => reader.below("error", value, |reader| {
            reader.only(&["type", "message", "trace"]);
            let code = reader.name("type");
            if reader.value("type").is_none() {
                reader.refuse("type", "name the kind of error, such as \"ConnectionRefused\"");
            }
            let mut text = |field| reader.text(field).unwrap_or_default().to_owned();
            let (message, trace) = (text("message"), text("trace"));
            code.map(|code| Fault {
                trace,
                class,
                ..Fault::last(code.as_str().to_owned(), message)
            })
        }),
        Some(other) => {
            reader.refuse("error", expected("an object", other));
            None
        }
        None => {
            reader.refuse("error", "say what went wrong: {\"type\":…,\"message\":…}");
            None
        }
    };
    Err(fault.unwrap_or_else(Fault::cancelled))
}

/// Reads a list of objects, each with the id of its job, and what else `read` finds in them.
pub(crate) fn read_batch<T>(
    body: &Value,
    fields: &[&str],
    problems: &mut Vec<Problem>,
    mut read: impl FnMut(&mut Reader<'_, '_>, JobId, Token) -> T,
) -> Vec<T> {
    let Some(items) = body.as_list() else {
        problems.push(Problem::new("", expected("an array", body)));
        return Vec::new();
    };
    if items.is_empty() || items.len() > limits::LEASE_JOBS {
        let message = format!("expected 1 to {} items, got {}", limits::LEASE_JOBS, items.len());
        problems.push(Problem::new("", message));
        return Vec::new();
    }
    let mut batch = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
        let pointer = pointer_below("", index);
        let Some(mut reader) = Reader::object(item, &pointer, problems) else { continue };
        reader.only(fields);
        if reader.value("id").is_none() {
            reader.refuse("id", "give the id of the job");
        }
        let id: Option<JobId> = reader.parsed("id");
        let token = read_token(&mut reader, None);
        let id = id.unwrap_or_else(|| JobId::floor(Timestamp::EPOCH));
        batch.push(read(&mut reader, id, token));
    }
    batch
}
