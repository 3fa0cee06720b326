//! `/schedules`: jobs that are submitted again and again.

use std::sync::Arc;

use axum::extract::State;
use hyper::header::{HeaderValue, LOCATION};
use hyper::{StatusCode, Uri};
use jobmill_engine::{Put, ScheduleError};
use jobmill_model::queue::Name;
use jobmill_model::{Problem, Schedule as Model, limits};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::body::Posted;
use super::described::NoSchedule;
use super::jobs::refuse_query;
use super::path::NamePath;
use super::refusal::{Kind, Refusal};
use super::reply::{self, Answer};
use super::room::{Room, Shared};
use crate::wire::job::Job;
use crate::wire::page::Page;
use crate::wire::problem::Document;
use crate::wire::query::Query;
use crate::wire::schedule::{self, Body, Deleted, Schedule};
use crate::wire::submission;

pub(crate) fn routes() -> OpenApiRouter<Arc<Room>> {
    OpenApiRouter::new()
        .routes(routes!(create_schedule, list_schedules))
        .routes(routes!(put_schedule, get_schedule, delete_schedule))
        .routes(routes!(pause_schedule))
        .routes(routes!(resume_schedule))
        .routes(routes!(trigger_schedule))
}

/// Create a schedule
///
/// Each tick of `cron` submits the job once, whether the server crashes or not.
#[utoipa::path(
    post, path = "/schedules", tag = "schedules", operation_id = "create_schedule",
    request_body(content = Body, description = "The schedule",
        example = json!({"name": "nightly", "cron": "30 3 * * *", "time_zone": "Europe/Berlin",
            "job": {"flow": "range_report", "input": {"start": 1, "end": 9}}})),
    responses(
        (status = 201, description = "It is stored", body = Schedule,
            headers(("Location" = String, description = "Where the schedule can be read"))),
        (status = 409, description = "There is one of this name, or 10,000 others",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Everything that is wrong with it, with its place",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn create_schedule(State(room): Shared, posted: Posted) -> Answer {
    store(&room, &posted, None).await
}

/// Create or replace a schedule
///
/// Where `cron`, `time_zone` and `clock_change` stay, no tick is lost or repeated.
#[utoipa::path(
    put, path = "/schedules/{name}", tag = "schedules", operation_id = "put_schedule",
    params(("name" = String, Path, description = "The schedule's name")),
    request_body(content = Body, description = "The schedule, without its name",
        example = json!({"cron": "@hourly", "overlap": "skip",
            "job": {"flow": "range_report", "input": {"start": 1, "end": 9}}})),
    responses(
        (status = 200, description = "It stands in the place of the one before", body = Schedule),
        (status = 201, description = "It is new", body = Schedule,
            headers(("Location" = String, description = "Where the schedule can be read"))),
        (status = 409, description = "There are 10,000 schedules already",
            body = Document, content_type = "application/problem+json"),
        (status = 422, description = "Everything that is wrong with it, with its place",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn put_schedule(State(room): Shared, NamePath(name): NamePath, posted: Posted) -> Answer {
    store(&room, &posted, Some(&name)).await
}

async fn store(room: &Room, posted: &Posted, path: Option<&str>) -> Answer {
    let body = posted.json().await?;
    let mut problems = Vec::new();
    let mut asked = schedule::read(&body, path, room.engine.now(), &mut problems);
    if let (Some(asked), Some(job)) = (&mut asked, body.as_map().and_then(|map| map.get("job"))) {
        let spec = &mut asked.rules.job.spec;
        let flow = room.engine.declaration(&spec.flow);
        submission::fill(spec, submission::given(job), flow.as_ref());
    }
    let named = path.map(schedule::name_of);
    if named.as_ref().is_some_and(Option::is_none) {
        let message = "a schedule's name has 1 to 100 bytes and no white space";
        problems.push(Problem::new("", message));
    }
    let (Some(asked), true) = (asked, problems.is_empty()) else {
        return Err(Refusal::of_problems(Kind::Invalid, problems));
    };
    let Some(name) = named.flatten().or(asked.name) else {
        return Err(Refusal::new(Kind::Invalid, "a schedule needs a name"));
    };
    let put = room.engine.schedule_put(name, asked.rules, asked.paused, path.is_none()).await;
    Ok(match put.map_err(refusal)? {
        Put::Created(model) => created(&model),
        Put::Replaced(model) => shown(StatusCode::OK, &model),
    })
}

fn refusal(error: ScheduleError) -> Refusal {
    match error {
        ScheduleError::Exists => Refusal::new(
            Kind::Exists,
            "a schedule of this name is there already; `PUT /schedules/{name}` replaces it",
        ),
        ScheduleError::TooMany => {
            let most = limits::SCHEDULES;
            let detail = format!("there are {most} schedules, which is the most there may be");
            Refusal::new(Kind::TooMany, detail)
        }
        ScheduleError::Submit(error) => Refusal::of_submission(error, |_, problem| Problem {
            pointer: format!("/job{}", problem.pointer),
            ..problem
        }),
    }
}

fn shown(status: StatusCode, model: &Model) -> axum::response::Response {
    let bytes = 1_024 + model.rules.job.input.as_str().len();
    reply::sized(status, &Schedule::with_ticks(model), bytes)
}

fn created(model: &Model) -> axum::response::Response {
    let mut response = shown(StatusCode::CREATED, model);
    let name: String = form_urlencoded::byte_serialize(model.name.as_str().as_bytes()).collect();
    if let Ok(location) = HeaderValue::try_from(format!("/schedules/{name}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn unknown() -> Refusal {
    Refusal::new(Kind::NoSchedule, "no schedule has this name; `GET /schedules` lists them")
}

/// The name in the path, or that nothing has it.
fn known(path: &str) -> Result<Name, Refusal> {
    schedule::name_of(path).ok_or_else(unknown)
}

/// List schedules
///
/// By name.
#[utoipa::path(
    get, path = "/schedules", tag = "schedules", operation_id = "list_schedules",
    params(
        ("cursor" = Option<String>, Query, description = "The `next` of the page before"),
        ("limit" = Option<usize>, Query, description = "Rows of the page: 1 to 1000, usually 50"),
    ),
    responses((status = 200, description = "A page of schedules", body = Page<Schedule>,
        example = json!({"items": [], "next": null})))
)]
async fn list_schedules(State(room): Shared, uri: Uri) -> Answer {
    let mut query = Query::new(uri.query(), &["cursor", "limit"]);
    let (after, limit) = (query.name("cursor"), query.limit());
    refuse_query(query)?;
    let mut schedules = room.engine.schedules(after.as_ref(), limit + 1).await?;
    let more = schedules.len() > limit;
    schedules.truncate(limit);
    let last = schedules.last().filter(|_| more);
    let next = last.map(|schedule| schedule.name.to_string());
    let items = schedules.iter().map(Schedule::from).collect();
    Ok(reply::sized(StatusCode::OK, &Page { items, next }, 1_024 * schedules.len()))
}

/// Get a schedule
///
/// With its next five ticks.
#[utoipa::path(
    get, path = "/schedules/{name}", tag = "schedules", operation_id = "get_schedule",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 200, description = "The schedule as it stands", body = Schedule),
        NoSchedule,
    )
)]
async fn get_schedule(State(room): Shared, NamePath(name): NamePath) -> Answer {
    let schedule = room.engine.schedule(&known(&name)?).await?;
    Ok(shown(StatusCode::OK, &schedule.ok_or_else(unknown)?))
}

/// Delete a schedule
///
/// Its jobs stay.
#[utoipa::path(
    delete, path = "/schedules/{name}", tag = "schedules", operation_id = "delete_schedule",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 200, description = "It is gone", body = Deleted),
        NoSchedule,
    )
)]
async fn delete_schedule(State(room): Shared, NamePath(name): NamePath) -> Answer {
    match room.engine.schedule_delete(&known(&name)?).await? {
        true => Ok(reply::json(&Deleted { name: &name, deleted: true })),
        false => Err(unknown()),
    }
}

/// Pause a schedule
///
/// Its ticks do not count until it is resumed.
#[utoipa::path(
    post, path = "/schedules/{name}/pause", tag = "schedules", operation_id = "pause_schedule",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 200, description = "It rests, now or before", body = Schedule),
        NoSchedule,
    )
)]
async fn pause_schedule(State(room): Shared, NamePath(name): NamePath) -> Answer {
    rest(&room, &name, true).await
}

/// Resume a schedule
///
/// Its ticks count from now on.
#[utoipa::path(
    post, path = "/schedules/{name}/resume", tag = "schedules", operation_id = "resume_schedule",
    params(("name" = String, Path, description = "The schedule's name")),
    responses(
        (status = 200, description = "It is awake, now or before", body = Schedule),
        NoSchedule,
    )
)]
async fn resume_schedule(State(room): Shared, NamePath(name): NamePath) -> Answer {
    rest(&room, &name, false).await
}

async fn rest(room: &Room, name: &str, paused: bool) -> Answer {
    let schedule = room.engine.schedule_rest(&known(name)?, paused).await.map_err(refusal)?;
    Ok(shown(StatusCode::OK, &schedule.ok_or_else(unknown)?))
}

/// Trigger a schedule
///
/// Submits its job now, paused or not; the rules for overlap and missed ticks do not see it.
#[utoipa::path(
    post, path = "/schedules/{name}/trigger", tag = "schedules",
    operation_id = "trigger_schedule",
    params(
        ("name" = String, Path, description = "The schedule's name"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "The same key gives the same job and the same answer"),
    ),
    responses(
        (status = 202, description = "Accepted: the job is on disk", body = Job,
            headers(("Location" = String, description = "Where the job can be read"))),
        NoSchedule,
        (status = 422, description = "The job cannot be submitted",
            body = Document, content_type = "application/problem+json"),
    )
)]
async fn trigger_schedule(State(room): Shared, NamePath(name): NamePath, posted: Posted) -> Answer {
    let schedule = known(&name)?;
    let route = format!("POST /schedules/{name}/trigger");
    let idempotency = posted.idempotency(&route, String::new, room.engine.now())?;
    let triggered = room.engine.schedule_trigger(&schedule, idempotency).await;
    let job = triggered.map_err(|error| refusal(ScheduleError::Submit(error)))?;
    Ok(reply::accepted(&job.ok_or_else(unknown)?))
}
