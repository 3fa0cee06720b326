//! `/jobs`: submit one or many, list, get, cancel, retry.

use std::sync::Arc;

use axum::extract::State;
use hyper::{StatusCode, Uri};
use jobmill_engine::Submitted;
use jobmill_model::job::NewJob;
use jobmill_model::{Job as Model, JobId, Problem, Span, Value, limits};
use jobmill_store::{Cancelled, JobQuery, Retried};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::described::NoJob;
use super::path::JobPath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::counts::Counts;
use crate::wire::explanation::Explanation;
use crate::wire::job::Job;
use crate::wire::page::Page;
use crate::wire::problem::Document;
use crate::wire::query::Query;
use crate::wire::reader::MOST_PROBLEMS;
use crate::wire::submission::{self, Submission};

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(submit_job, list_jobs))
        .routes(routes!(submit_jobs))
        .routes(routes!(count_jobs))
        .routes(routes!(get_job))
        .routes(routes!(get_explanation))
        .routes(routes!(cancel_job))
        .routes(routes!(retry_job))
}

/// Submit a job
///
/// When the answer comes, the job is on disk. A body without `flow` is, as a whole, the input of
/// the flow `range_report`; its fields are shown beside the job's own.
#[utoipa::path(
    post, path = "/jobs", tag = "jobs", operation_id = "submit_job",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same body gives the same job and the same answer")),
    request_body(content = Submission, description = "The job",
        example = json!({"flow": "expand_reduce_flow", "input": {"1": "2", "3": "4"}})),
    responses(
        (status = 202, description = "Accepted: the job is on disk", body = Job,
            headers(("Location" = String, description = "Where the job can be read")),
            example = json!({"id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42",
                "flow": "expand_reduce_flow", "queue": "default", "key": null,
                "status": "submitted", "input": {"1": "2", "3": "4"}, "params": {},
                "priority": 0, "attempt": 0, "max_attempts": 3,
                "progress": {"done": 0, "total": 0, "message": ""},
                "created_at": "2026-11-21T09:30:00.250Z", "run_at": "2026-11-21T09:30:00.250Z",
                "started_at": null, "finished_at": null, "error": null, "warnings": [],
                "tags": [], "parent": null, "waiting_for": null})),
        (status = 200, description = "A job that is the same was there: this one", body = Job),
        (status = 413, description = "The body is too large",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Everything that is wrong with the job, with its place",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:invalid-request",
                "title": "Invalid request", "status": 422,
                "detail": "the request has a problem; see `errors`",
                "errors": [{"pointer": "/flow", "message":
                    "unknown flow \"range_reprt\"; did you mean \"range_report\"?"}]})),
        (status = 503, description = "Too busy, the disk is full, or shutting down",
            body = Document, content_type = "application/problem+json",
            headers(("Retry-After" = u64, description = "Seconds to wait"))),
    )
)]
async fn submit_job(State(room): Shared, posted: Posted) -> Answer {
    let body = posted.json().await?;
    let now = room.engine.now();
    let idempotency = posted.idempotency("POST /jobs", || body.to_string(), now)?;
    let (job, problems) = read_job(&room, &body);
    if !problems.is_empty() {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    }
    refuse_misplaced(&room, std::slice::from_ref(&job), |_, problem| problem).await?;
    let bare = job.spec.bare;
    let submitted = room.engine.submit_each(vec![job], idempotency).await;
    let place = |_, problem| if bare { whole_body(problem) } else { problem };
    let jobs = submitted.map_err(|error| Refusal::of_submission(error, place))?;
    Ok(reply::submitted(one(&jobs)?))
}

/// Reads one job, with everything that is wrong with it.
pub(crate) fn read_job(room: &Room, body: &Value) -> (NewJob, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut job = submission::read(body.clone(), "", room.engine.now(), &mut problems);
    let (given, flow) = (submission::given(body), room.engine.declaration(&job.spec.flow));
    submission::fill(&mut job.spec, given, flow.as_ref());
    if !problems.is_empty() {
        add_misfits(room, &job, &mut problems);
    }
    (job, problems)
}

/// Refuses jobs whose parent is not there or has ended.
async fn refuse_misplaced(
    room: &Room,
    jobs: &[NewJob],
    place: impl Fn(usize, Problem) -> Problem,
) -> Result<(), Refusal> {
    let problems = room.engine.misplaced(jobs).await?;
    if problems.is_empty() {
        return Ok(());
    }
    let problems = problems.into_iter().take(MOST_PROBLEMS);
    let problems = problems.map(|(index, problem)| place(index, problem)).collect();
    Err(Refusal::of_problems(Kind::Invalid, problems))
}

/// Adds what the flow has to say of an input whose options are wrong, so that the sender sees
/// everything at once.
fn add_misfits(room: &Room, job: &NewJob, problems: &mut Vec<Problem>) {
    let flow_is_known = |problem: &Problem| !matches!(&*problem.pointer, "" | "/flow");
    if problems.iter().all(flow_is_known) {
        problems.extend(room.engine.check_input(&job.spec.flow, &job.input, &job.params));
    }
}

/// In a body that is the input as a whole, a place in the input is a place in the body.
pub(crate) fn whole_body(mut problem: Problem) -> Problem {
    if let Some(rest) = problem.pointer.strip_prefix("/input") {
        problem.pointer = rest.to_owned();
    }
    problem
}

fn one(jobs: &[Submitted]) -> Result<&Submitted, Refusal> {
    jobs.first().ok_or_else(|| Refusal::new(Kind::Broken, "the job was stored but is not shown"))
}

/// Submit many jobs at once
///
/// All are accepted in one commit, or none. The body is a JSON array, or one job on each line
/// (`application/x-ndjson`).
#[utoipa::path(
    post, path = "/jobs/bulk", tag = "jobs", operation_id = "submit_jobs",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same key with the same body gives the same jobs and the same answer")),
    request_body(description = "The jobs, at most 10,000", content(
        (Vec<Submission> = "application/json",
            example = json!([{"flow": "expand_reduce_flow", "input": {"a": 1, "b": 2}}])),
        (String = "application/x-ndjson"),
    )),
    responses(
        (status = 202, description = "Accepted: all jobs are on disk", body = Page<Job>,
            example = json!({"items": [], "next": null})),
        (status = 422, description = "Everything that is wrong, with its place; nothing is stored",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:invalid-request",
                "title": "Invalid request", "status": 422,
                "detail": "the request has a problem; see `errors`",
                "errors": [{"pointer": "/3/input", "message": "expected an object"}]})),
    )
)]
async fn submit_jobs(State(room): Shared, posted: Posted) -> Answer {
    let bulk = Bulk::read(&posted).await?;
    let now = room.engine.now();
    let canonical = || Value::list(bulk.bodies.iter().cloned()).to_string();
    let idempotency = posted.idempotency("POST /jobs/bulk", canonical, now)?;
    let mut problems = Vec::new();
    let mut jobs: Vec<NewJob> = Vec::with_capacity(bulk.bodies.len());
    for (index, body) in bulk.bodies.iter().enumerate() {
        let (job, found) = read_job(&room, body);
        jobs.push(job);
        problems.extend(found.into_iter().map(|problem| bulk.place(index, problem)));
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
    }
    if !problems.is_empty() {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    }
    let bare: Vec<bool> = jobs.iter().map(|job| job.spec.bare).collect();
    let place = |index: usize, problem| {
        bulk.place(index, if bare[index] { whole_body(problem) } else { problem })
    };
    refuse_misplaced(&room, &jobs, &place).await?;
    let submitted = room.engine.submit_each(jobs, idempotency).await;
    let jobs = submitted.map_err(|error| Refusal::of_submission(error, place))?;
    let bytes = jobs.iter().map(|submitted| reply::job_bytes(&submitted.job)).sum();
    let page = Page::whole(jobs.iter().map(Job::from).collect());
    Ok(reply::sized(StatusCode::ACCEPTED, &page, bytes))
}

/// The bodies of a bulk submission and, where they came as lines, the numbers of their lines.
struct Bulk {
    bodies: Vec<Value>,
    lines: Option<Vec<usize>>,
}

impl Bulk {
    async fn read(posted: &Posted) -> Result<Self, Refusal> {
        let bulk = match posted.json_lines() {
            Some(lines) => Self::read_lines(lines)?,
            None => match posted.json().await? {
                Value::List(items) => {
                    let bodies = Arc::try_unwrap(items).unwrap_or_else(|items| (*items).clone());
                    Self { bodies, lines: None }
                }
                other => {
                    let message = format!("expected an array of jobs, got {}", other.kind());
                    return Err(invalid(message));
                }
            },
        };
        match bulk.bodies.len() {
            0 => Err(invalid("expected at least one job")),
            many if many > limits::BULK_JOBS => {
                Err(invalid(format!("at most {} jobs at once, got {many}", limits::BULK_JOBS)))
            }
            _ => Ok(bulk),
        }
    }

    fn read_lines<'a>(lines: impl Iterator<Item = (usize, &'a [u8])>) -> Result<Self, Refusal> {
        let (mut bodies, mut numbers) = (Vec::new(), Vec::new());
        for (number, line) in lines {
            bodies.push(Value::from_json(line).map_err(|mut error| {
                error.line = number;
                Refusal::from(error)
            })?);
            numbers.push(number);
        }
        Ok(Self { bodies, lines: Some(numbers) })
    }

    /// A problem of the n-th job as one of the request.
    fn place(&self, index: usize, problem: Problem) -> Problem {
        let Problem { pointer, message } = problem;
        let line = self.lines.as_ref().and_then(|lines| lines.get(index));
        let message = match line {
            Some(line) => format!("line {line}: {message}"),
            None => message,
        };
        Problem { pointer: format!("/{index}{pointer}"), message }
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::of_problems(Kind::Invalid, vec![Problem::new("", message)])
}

/// List jobs
///
/// Newest first. Every filter that is given must hold.
#[utoipa::path(
    get, path = "/jobs", tag = "jobs", operation_id = "list_jobs",
    params(
        ("status" = Option<String>, Query,
            description = "Only jobs in this state; several with commas", example = "failed"),
        ("flow" = Option<String>, Query, description = "Only jobs of this flow"),
        ("queue" = Option<String>, Query, description = "Only jobs of this queue"),
        ("tag" = Option<String>, Query, description = "Only jobs with this tag"),
        ("parent" = Option<String>, Query, description = "Only children of this job"),
        ("since" = Option<String>, Query, description = "Only jobs submitted at or after this"),
        ("until" = Option<String>, Query, description = "Only jobs submitted before this"),
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses(
        (status = 200, description = "A page of jobs", body = Page<Job>,
            example = json!({"items": [], "next": null})),
        (status = 400, description = "A filter, the limit or the cursor makes no sense",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:bad-query", "title": "Bad query",
                "status": 400, "detail": "the request has a problem; see `errors`",
                "errors": [{"pointer": "?limit",
                    "message": "expected a whole number from 1 to 1000, got \"0\""}]})),
    )
)]
async fn list_jobs(State(room): Shared, uri: Uri) -> Answer {
    let known = ["status", "flow", "queue", "tag", "parent", "since", "until", "cursor", "limit"];
    let mut query = Query::new(uri.query(), &known);
    let wanted = JobQuery {
        states: query.every("status"),
        flow: query.name("flow"),
        queue: query.name("queue"),
        tag: query.name("tag"),
        parent: query.parsed("parent"),
        since: query.parsed("since"),
        until: query.parsed("until"),
        active_since: None,
        before: query.job_cursor(),
        limit: query.limit(),
    };
    refuse_query(query)?;
    let page = room.engine.jobs(&wanted).await?;
    let bytes = page.jobs.iter().map(reply::job_bytes).sum();
    let items = page.jobs.iter().map(Job::from).collect();
    let next = page.next.map(|id: JobId| id.to_string());
    Ok(reply::sized(StatusCode::OK, &Page { items, next }, bytes))
}

/// Refuses a query with all that is wrong with it.
pub(crate) fn refuse_query(query: Query<'_>) -> Result<(), Refusal> {
    match query.problems() {
        problems if problems.is_empty() => Ok(()),
        problems => Err(Refusal::of_problems(Kind::BadQuery, problems)),
    }
}

/// Count jobs by state
#[utoipa::path(
    get, path = "/jobs/counts", tag = "jobs", operation_id = "count_jobs",
    responses((status = 200, description = "Kept totals", body = Counts,
        example = json!({"scheduled": 0, "submitted": 2, "running": 1, "completed": 40,
            "failed": 1, "cancelled": 0, "total": 44})))
)]
async fn count_jobs(State(room): Shared) -> Answer {
    Ok(reply::json(&Counts::from(&room.engine.tally().await?)))
}

/// Get a job
#[utoipa::path(
    get, path = "/jobs/{id}", tag = "jobs", operation_id = "get_job",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "The job as it stands", body = Job),
        (status = 404, description = "No job has this id",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:no-job", "title": "Job not found",
                "status": 404, "detail": "no job has this id"})),
    )
)]
async fn get_job(State(room): Shared, JobPath(id): JobPath) -> Answer {
    Ok(reply::job(&find(&room, id).await?))
}

/// Explain why a job is not running, or not done
#[utoipa::path(
    get, path = "/jobs/{id}/explain", tag = "jobs", operation_id = "get_explanation",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "One sentence, and what it is made of", body = Explanation,
            example = json!({"id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42", "status": "scheduled",
                "code": "backing_off", "explanation": "it backs off before attempt 3 until \
                    2026-11-21T09:30:07.250Z (in 4s); the last error was Busy: try later",
                "until": "2026-11-21T09:30:07.250Z", "ahead": null, "attempt": 2,
                "max_attempts": 5, "error": {"type": "Busy", "message": "try later"},
                "waiting_for": null, "children": null})),
        NoJob,
    )
)]
async fn get_explanation(State(room): Shared, JobPath(id): JobPath) -> Answer {
    let outlook = room.engine.explain(id).await?.ok_or_else(Refusal::no_job)?;
    Ok(reply::json(&Explanation::from(&outlook)))
}

/// The job with an id.
pub(crate) async fn find(room: &Room, id: JobId) -> Result<Model, Refusal> {
    room.engine.wait(id, Span::ZERO).await?.ok_or_else(Refusal::no_job)
}

/// Cancel a job
///
/// The job and its children are `cancelled` at once, waiting or running; work that is under way
/// is asked to stop, and whatever it still brings is refused.
#[utoipa::path(
    post, path = "/jobs/{id}/cancel", tag = "jobs", operation_id = "cancel_job",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 200, description = "It is cancelled, now or before", body = Job),
        NoJob,
        (status = 409, description = "It has ended in another way",
            body = Document, content_type = "application/problem+json",
            example = json!({"type": "urn:jobmill:problem:not-possible",
                "title": "Not possible in this state", "status": 409,
                "detail": "the job is completed and cannot be cancelled",
                "id": "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42", "job_status": "completed"})),
    )
)]
async fn cancel_job(State(room): Shared, JobPath(id): JobPath) -> Answer {
    let outcome = room.engine.cancel(&[id]).await?.pop().unwrap_or(Cancelled::Unknown);
    match outcome {
        Cancelled::Done(_) | Cancelled::Ended(jobmill_model::State::Cancelled) => {
            Ok(reply::job(&find(&room, id).await?))
        }
        Cancelled::Ended(state) => {
            let detail = format!("the job is {state} and cannot be cancelled");
            Err(Refusal::of_state(Kind::NotPossible, id, state, detail))
        }
        Cancelled::Unknown => Err(Refusal::no_job()),
    }
}

/// Run a job again
///
/// Opens a new run of a failed or cancelled job: attempts are counted anew.
#[utoipa::path(
    post, path = "/jobs/{id}/retry", tag = "jobs", operation_id = "retry_job",
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 202, description = "A new run is open", body = Job,
            headers(("Location" = String, description = "Where the job can be read"))),
        NoJob,
        (status = 409, description = "It is neither failed nor cancelled",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn retry_job(State(room): Shared, JobPath(id): JobPath) -> Answer {
    match room.engine.retry(&[id]).await?.pop().unwrap_or(Retried::Unknown) {
        Retried::Done => Ok(reply::accepted(&find(&room, id).await?)),
        Retried::Refused(state) => {
            let detail = format!("the job is {state}; only a failed or cancelled one runs again");
            Err(Refusal::of_state(Kind::NotPossible, id, state, detail))
        }
        Retried::Taken(other) => {
            let state = find(&room, id).await?.state;
            let detail = format!("job {other}, which is the same, is unfinished");
            Err(Refusal::of_state(Kind::NotPossible, id, state, detail))
        }
        Retried::Unknown => Err(Refusal::no_job()),
    }
}
