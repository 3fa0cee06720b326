//! `…/executions`: Executions v1, each handler one call of the engine's executions.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::{get, post};
use hyper::Uri;
use jobmill_engine::{Execute, ExecuteError, SubmitError};
use jobmill_google::wire::execution::{self, Execution, FIELDS, NewExecution, View};
use jobmill_google::wire::field::Datum;
use jobmill_google::wire::filter::{Comparator, Wanted};
use jobmill_google::wire::page::Sizes;
use jobmill_google::wire::{Error, ExecutionName, Filter, Status, WorkflowName, pubsub};
use jobmill_model::definition::label_problems;
use jobmill_model::queue::Name;
use jobmill_model::{Job, JobId, Value, limits};
use jobmill_store::{Cancelled, Deleted, JobQuery};
use utoipa_axum::router::OpenApiRouter;

use super::super::body::Posted;
use super::super::refusal::Refusal;
use super::super::reply::{self, Answer};
use super::super::room::{Room, Shared};
use super::asked::{Names, definition, no_method, no_workflow};
use super::listing::{LOOKED_AT, Listing, ORDERED};
use super::{history, steps};
use crate::wire::query::Query;

const SIZES: Sizes = Sizes { usual: 100, most: 1_000 };
/// As the service documents it for the full view.
const FULL_SIZES: Sizes = Sizes { usual: 100, most: 100 };

pub(crate) fn routes(executions: &str) -> OpenApiRouter<Arc<Room>> {
    let one = get(get_execution).merge(post(post_execution));
    OpenApiRouter::new()
        .route(executions, get(list_executions).post(create_execution))
        .route(&format!("{executions}/{{execution}}"), one)
}

async fn create_execution(State(room): Shared, names: Names<3>, posted: Posted) -> Answer {
    let new = NewExecution::read(&posted.any_json().await?)?;
    begin(&room, &names.workflow(), new).await
}

/// An execution whose argument is a message of Pub/Sub as a CloudEvent.
pub(crate) async fn trigger(State(room): Shared, names: Names<3>, posted: Posted) -> Answer {
    let argument = pubsub::argument(&posted.any_json().await?)?;
    let new = NewExecution { argument, ..NewExecution::default() };
    begin(&room, &names.workflow(), new).await
}

async fn begin(room: &Room, name: &WorkflowName, new: NewExecution) -> Answer {
    let NewExecution { argument, labels, call_log_level, history_level } = new;
    let problems = label_problems(&labels);
    if !problems.is_empty() {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        return Err(Error::invalid(format!("invalid execution: {}", texts.join("; "))).into());
    }
    let execute = Execute { argument, revision: None, labels, call_log_level, history_level };
    match room.engine.execute(&definition(name)?, execute, None).await {
        Ok(job) => {
            let execution = Execution::new(name.execution(&job.id.to_string()), &job);
            Ok(reply::json(&execution.to_value(View::Full)))
        }
        Err(error) => Err(not_begun(error, name)),
    }
}

fn not_begun(error: ExecuteError, name: &WorkflowName) -> Refusal {
    match error {
        ExecuteError::UnknownWorkflow | ExecuteError::Submit(SubmitError::UnknownFlow { .. }) => {
            no_workflow(name)
        }
        ExecuteError::UnknownRevision => {
            Error::not_found(format!("workflow {name} has no such revision")).into()
        }
        ExecuteError::Submit(SubmitError::Invalid(problems)) => {
            let texts: Vec<String> = problems.iter().map(|(_, it)| it.to_string()).collect();
            Error::invalid(format!("invalid execution: {}", texts.join("; "))).into()
        }
        ExecuteError::Submit(error) => Refusal::of_submission(error, |_, problem| problem),
    }
}

/// The execution that the path names, and its name.
pub(crate) async fn find(
    room: &Room,
    name: WorkflowName,
    id: &str,
) -> Result<(ExecutionName, Job), Refusal> {
    let name = name.execution(id);
    let refusal = || Refusal::from(Error::not_found(format!("execution {name} was not found")));
    let id: JobId = id.parse().map_err(|_| refusal())?;
    let job = room.engine.execution(&definition(&name.parent)?, id).await?;
    let job = job.ok_or_else(refusal)?;
    Ok((name, job))
}

async fn get_execution(State(room): Shared, names: Names<4>, uri: Uri) -> Answer {
    let (id, verb) = names.last();
    let query = Query::lenient(uri.query());
    let view = match verb {
        None => View::read(query.text("view"), View::Full)?,
        Some("exportData") => View::Full,
        Some(verb) => return Err(no_method(verb)),
    };
    let (name, job) = find(&room, names.workflow(), id).await?;
    let mut execution = shown(&room, name, &job, view).await?;
    if view == View::Full {
        execution.steps = steps::current(&room, &job).await?;
    }
    let value = execution.to_value(view);
    Ok(reply::json(&match verb {
        None => value,
        Some(_) => Value::map([("data", value.to_string().into())]),
    }))
}

/// An execution as it is shown, with its result or its error in the full view.
async fn shown<'a>(
    room: &Room,
    name: ExecutionName,
    job: &'a Job,
    view: View,
) -> Result<Execution<'a>, Refusal> {
    let mut execution = Execution::new(name, job);
    if view == View::Full {
        execution.result = history::result(room, job).await?;
        execution.failure = history::failure(room, job).await?;
    }
    Ok(execution)
}

async fn post_execution(State(room): Shared, names: Names<4>, _: Posted) -> Answer {
    let (id, verb) = names.last();
    match verb {
        Some("cancel") => {
            let (name, job) = find(&room, names.workflow(), id).await?;
            cancel(&room, name, &job).await
        }
        Some("deleteExecutionHistory") => {
            let (name, job) = find(&room, names.workflow(), id).await?;
            match room.engine.forget_history(job.id).await? {
                Deleted::Done => Ok(reply::json(&Value::map::<&str>([]))),
                Deleted::Unknown => Err(gone(&name)),
                Deleted::Refused(_) | Deleted::Needed => {
                    let message = format!("execution {name} is still running");
                    Err(Error::new(Status::FailedPrecondition, message).into())
                }
            }
        }
        verb => Err(no_method(verb.unwrap_or("post"))),
    }
}

async fn cancel(room: &Room, name: ExecutionName, job: &Job) -> Answer {
    let outcome = room.engine.cancel(&[job.id]).await?.pop();
    match outcome {
        Some(Cancelled::Done(_)) => {
            let job = room.engine.job(job.id).await?;
            let job = job.ok_or_else(|| gone(&name))?;
            Ok(reply::json(&shown(room, name, &job, View::Full).await?.to_value(View::Full)))
        }
        Some(Cancelled::Ended(state)) => {
            let word = execution::state(state);
            let message = format!("execution {name} is {word} and cannot be cancelled");
            Err(Error::new(Status::FailedPrecondition, message).into())
        }
        Some(Cancelled::Unknown) | None => Err(gone(&name)),
    }
}

fn gone(name: &ExecutionName) -> Refusal {
    Error::not_found(format!("execution {name} was not found")).into()
}

async fn list_executions(State(room): Shared, names: Names<3>, uri: Uri) -> Answer {
    let name = names.workflow();
    let query = Query::lenient(uri.query());
    let view = View::read(query.text("view"), View::Basic)?;
    let sizes = if view == View::Full { FULL_SIZES } else { SIZES };
    let listing = Listing::read(&format!("{name}/executions"), &uri, FIELDS, sizes)?;
    let definition = definition(&name)?;
    let (jobs, next) = match listing.order.first() {
        None | Some(("createTime", true)) => {
            newest_first(&room, &name, &definition, &listing).await?
        }
        Some(_) => in_order(&room, &name, &definition, &listing).await?,
    };
    if jobs.is_empty() && room.engine.definition(&definition, None).await?.is_none() {
        return Err(no_workflow(&name));
    }
    let mut rows = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let execution = shown(&room, name.execution(&job.id.to_string()), job, view).await?;
        rows.push(execution.to_value(view));
    }
    Ok(reply::json(&listing.answer("executions", rows, next)))
}

/// What the store is asked for so that it leaves out what the filter would.
fn asked_of_store(filter: &Filter) -> JobQuery {
    let (since, until) = filter.window("createTime");
    let states = filter.demands().find_map(|it| match (&it.wanted, it.comparator) {
        (Wanted::Value(Datum::Text(word)), Comparator::Equal) if it.field.name == "state" => {
            Some(execution::states_of(word))
        }
        _ => None,
    });
    JobQuery { states: states.unwrap_or_default(), since, until, ..JobQuery::default() }
}

/// The next page, newest first: what passes the filter, until it is full or enough was looked at.
async fn newest_first(
    room: &Room,
    name: &WorkflowName,
    definition: &Name,
    listing: &Listing,
) -> Result<(Vec<Job>, Option<String>), Refusal> {
    let mut before = match listing.cursor.as_str() {
        "" => None,
        text => Some(text.parse::<JobId>().map_err(|_| listing.bad_cursor())?),
    };
    let query = asked_of_store(&listing.filter);
    let (mut found, mut bytes, mut seen) = (Vec::new(), 0, 0);
    loop {
        let limit = (listing.size - found.len()).min(limits::PAGE_ROWS_MAX);
        let query = JobQuery { before, limit, ..query.clone() };
        let page = room.engine.executions(definition, &query).await?;
        seen += limit;
        for job in page.jobs {
            if passes(&listing.filter, name, &job) {
                bytes += job.input.as_str().len();
                found.push(job);
            }
        }
        let is_enough =
            found.len() == listing.size || bytes >= limits::PAGE_BYTES || seen >= LOOKED_AT;
        match page.next {
            Some(id) if is_enough => return Ok((found, Some(id.to_string()))),
            next @ Some(_) => before = next,
            None => return Ok((found, None)),
        }
    }
}

fn passes(filter: &Filter, name: &WorkflowName, job: &Job) -> bool {
    filter.is_empty() || {
        let name = name.execution(&job.id.to_string());
        filter.matches(&Execution::new(name, job))
    }
}

/// The next page in another order: all that pass the filter, without their arguments, are put
/// into it, and those of the page are read again.
async fn in_order(
    room: &Room,
    name: &WorkflowName,
    definition: &Name,
    listing: &Listing,
) -> Result<(Vec<Job>, Option<String>), Refusal> {
    let query = asked_of_store(&listing.filter);
    let (mut kept, mut before) = (Vec::<Job>::new(), None);
    loop {
        let query = JobQuery { before, limit: limits::PAGE_ROWS_MAX, ..query.clone() };
        let page = room.engine.executions(definition, &query).await?;
        let passing = page.jobs.into_iter().filter(|job| passes(&listing.filter, name, job));
        kept.extend(passing.map(|job| Job { input: Value::Null.to_json(), ..job }));
        if kept.len() > ORDERED {
            return Err(Listing::too_many_to_order().into());
        }
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let rows = kept.iter().map(|job| Execution::new(name.execution(&job.id.to_string()), job));
    let (rows, next) = listing.ordered(rows.collect())?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        found.extend(room.engine.job(row.job.id).await?);
    }
    Ok((found, next))
}
