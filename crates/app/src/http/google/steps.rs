//! `…/executions/{execution}/stepEntries`: the way of an execution through its workflow.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use hyper::Uri;
use jobmill_engine::Kept;
use jobmill_google::wire::page::Sizes;
use jobmill_google::wire::step::{FIELDS, Step, View};
use jobmill_google::wire::{Error, ExecutionName};
use jobmill_model::machine::{History, StepName};
use jobmill_model::{Job, State as JobState, Value};
use utoipa_axum::router::OpenApiRouter;

use super::super::refusal::Refusal;
use super::super::reply::{self, Answer};
use super::super::room::{Room, Shared};
use super::asked::Names;
use super::executions;
use super::listing::Listing;
use crate::wire::query::Query;

const SIZES: Sizes = Sizes { usual: 1_000, most: 1_000 };

pub(crate) fn routes(executions: &str) -> OpenApiRouter<Arc<Room>> {
    let entries = format!("{executions}/{{execution}}/stepEntries");
    OpenApiRouter::new()
        .route(&entries, get(list_entries))
        .route(&format!("{entries}/{{entry}}"), get(get_entry))
}

async fn list_entries(State(room): Shared, names: Names<4>, uri: Uri) -> Answer {
    let (name, job) = executions::find(&room, names.workflow(), &names.0[3]).await?;
    let listing = Listing::read(&format!("{name}/stepEntries"), &uri, FIELDS, SIZES)?;
    let query = Query::lenient(uri.query());
    let skip = match query.text("skip").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(skip)) => skip,
        Some(Err(_)) => return Err(Error::invalid("invalid skip: expected a number").into()),
    };
    let is_plain = listing.filter.is_empty() && listing.order.first().is_none();
    let variables = match View::read(query.text("view"))? {
        View::Basic => None,
        View::Detailed if is_plain => Some((listing.skip()?.saturating_add(skip), listing.size)),
        View::Detailed => Some((0, usize::MAX)),
    };
    let history = told(&room, &name, &job, variables).await?;
    let all = (0..history.steps.len()).filter_map(|place| Step::new(&history.steps, place));
    let mut rows: Vec<Step<'_>> = all.filter(|step| listing.filter.matches(step)).collect();
    rows.sort_by(|one, two| listing.order.compare(one, two));
    rows.drain(..skip.min(rows.len()));
    let total = rows.len();
    let (rows, next) = listing.ordered(rows)?;
    let rows = rows.iter().map(|step| step.to_value(&name)).collect();
    let answer = listing.answer("stepEntries", rows, next);
    let mut fields = answer.as_map().cloned().unwrap_or_default();
    fields.insert("totalSize", Value::from(total));
    Ok(reply::json(&Value::from(fields)))
}

async fn get_entry(State(room): Shared, names: Names<5>, uri: Uri) -> Answer {
    let (name, job) = executions::find(&room, names.workflow(), &names.0[3]).await?;
    let none = || Error::not_found(format!("{name}/stepEntries/{} was not found", names.0[4]));
    let number: usize = names.0[4].parse().map_err(|_| none())?;
    let place = number.checked_sub(1).ok_or_else(none)?;
    let view = View::read(Query::lenient(uri.query()).text("view"))?;
    let variables = (view == View::Detailed).then_some((place, 1));
    let history = told(&room, &name, &job, variables).await?;
    let step = Step::new(&history.steps, place).ok_or_else(none)?;
    Ok(reply::json(&step.to_value(&name)))
}

async fn told(
    room: &Room,
    name: &ExecutionName,
    job: &Job,
    variables: Option<(usize, usize)>,
) -> Result<History, Refusal> {
    let told = room.engine.history(job.id, variables).await?;
    match told {
        Some(told) if told.kept == Kept::Gone => {
            let message = format!("the history of execution {name} was deleted or not kept");
            Err(Error::not_found(message).into())
        }
        Some(told) => Ok(told.history),
        None => Err(Error::not_found(format!("execution {name} was not found")).into()),
    }
}

/// The steps that an execution is in.
pub(crate) async fn current(room: &Room, job: &Job) -> Result<Vec<StepName>, Refusal> {
    if job.state != JobState::Running {
        return Ok(Vec::new());
    }
    let told = room.engine.history(job.id, None).await?;
    Ok(told.map(|told| told.history.current).unwrap_or_default())
}
