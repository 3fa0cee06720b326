//! A schedule, as it is asked for and as it is shown.

use jobmill_model::job::{Backoff, Spec};
use jobmill_model::limits::{DEFAULT_TICKS_MISSED, SCHEDULE_NAME_BYTES, TAGS, TICKS_MISSED};
use jobmill_model::queue::Name;
use jobmill_model::schedule::{
    ClockChange, Missed, Overlap, Rules, Schedule as Model, Template, Timetable, Word, Zone,
};
use jobmill_model::{Problem, Timestamp, Value};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::id::Id;
use super::job::{Tags, raw};
use super::moment::Moment;
use super::near;
use super::reader::{Reader, expected};
use super::submission;

const FIELDS: [&str; 8] =
    ["cron", "time_zone", "missed", "missed_limit", "overlap", "clock_change", "paused", "job"];

/// Tags that the job of a tick has besides its own.
const TICK_TAGS: usize = 2;

/// A schedule to store.
#[derive(ToSchema)]
#[schema(as = ScheduleBody)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Body {
    /// Its name, for `POST /schedules` only.
    #[schema(max_length = 100, example = "nightly")]
    name: Option<String>,
    /// When it ticks: five fields (minute, hour, day of the month, month, day of the week), six
    /// with the second first, or a short form such as `@daily`.
    #[schema(example = "30 3 * * MON-FRI")]
    cron: String,
    /// The zone whose clocks `cron` is read on, by its name in the IANA database.
    #[schema(default = "UTC", example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// What becomes of ticks that came while no server ran: nothing (`skip`), one job for the
    /// last of them (`once`), one for each (`all`).
    missed: Option<MissedWord>,
    /// How many missed ticks `all` makes up for: the latest.
    #[schema(minimum = 1, maximum = 1000, default = 100)]
    missed_limit: Option<u32>,
    /// What becomes of a tick while the job of the one before is unfinished: a job as always
    /// (`allow`), none (`skip`), or one when that job has ended (`queue`).
    overlap: Option<OverlapWord>,
    /// What becomes of times in the hour that the clocks skip: together they tick once, at the
    /// change (`fire`), or not at all (`skip`).
    clock_change: Option<ClockChangeWord>,
    /// Whether it rests.
    paused: Option<bool>,
    /// What each tick submits, as for `POST /jobs`, without `delay`, `run_at`,
    /// `parent` and `unique`.
    #[schema(value_type = submission::Submission)]
    job: (),
}

/// What becomes of missed ticks.
#[derive(ToSchema)]
#[schema(as = Missed, rename_all = "lowercase", default = "once")]
#[expect(dead_code, reason = "it describes the words for the OpenAPI document")]
pub(crate) enum MissedWord {
    Skip,
    Once,
    All,
}

/// What becomes of ticks while the job before is unfinished.
#[derive(ToSchema)]
#[schema(as = Overlap, rename_all = "lowercase", default = "allow")]
#[expect(dead_code, reason = "it describes the words for the OpenAPI document")]
pub(crate) enum OverlapWord {
    Allow,
    Skip,
    Queue,
}

/// What becomes of times that the clocks skip.
#[derive(ToSchema)]
#[schema(as = ClockChange, rename_all = "lowercase", default = "fire")]
#[expect(dead_code, reason = "it describes the words for the OpenAPI document")]
pub(crate) enum ClockChangeWord {
    Fire,
    Skip,
}

/// What was asked for.
pub(crate) struct Asked {
    /// Nothing, if it has no name or none that could be one.
    pub(crate) name: Option<Name>,
    pub(crate) rules: Rules,
    pub(crate) paused: bool,
}

/// Reads a body; its name stands in it, or in the path. With a problem noted, what it answers is
/// of no use.
pub(crate) fn read(
    body: &Value,
    path: Option<&str>,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Option<Asked> {
    let mut reader = Reader::object(body, "", problems)?;
    let name = match path {
        Some(_) => {
            reader.only(&FIELDS);
            None
        }
        None => {
            reader.only(&[&["name"], &FIELDS[..]].concat());
            if reader.value("name").is_none() {
                reader.refuse("name", "expected a name");
            }
            reader.name("name")
        }
    };
    if name.as_ref().is_some_and(|name| name.as_str().len() > SCHEDULE_NAME_BYTES) {
        reader.refuse("name", format!("a schedule's name has at most {SCHEDULE_NAME_BYTES} bytes"));
    }
    let timetable = read_timetable(&mut reader);
    let missed = word(&mut reader, "missed").unwrap_or(Missed::Once);
    let limit = reader.whole("missed_limit", 1..=i64::from(TICKS_MISSED));
    if limit.is_some() && missed != Missed::All {
        reader.refuse("missed_limit", "it needs `missed` to be `all`");
    }
    let overlap = word(&mut reader, "overlap").unwrap_or(Overlap::Allow);
    let paused = match reader.value("paused") {
        None => false,
        Some(Value::Bool(paused)) => *paused,
        Some(other) => {
            reader.refuse("paused", expected("true or false", other));
            false
        }
    };
    let job = read_job(reader.value("job"), now, problems);
    let missed_limit =
        limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(DEFAULT_TICKS_MISSED);
    let rules = Rules { timetable: timetable?, missed, missed_limit, overlap, job: job? };
    Some(Asked { name, rules, paused })
}

/// The name of a schedule from the path, if it can be one.
pub(crate) fn name_of(path: &str) -> Option<Name> {
    Name::new(path).ok().filter(|name| name.as_str().len() <= SCHEDULE_NAME_BYTES)
}

fn read_timetable(reader: &mut Reader<'_, '_>) -> Option<Timetable> {
    if reader.value("cron").is_none() {
        reader.refuse("cron", "expected a cron expression such as \"30 3 * * *\"");
    }
    let cron = reader.parsed("cron");
    let zone = match reader.value("time_zone") {
        None => Some(Zone::utc()),
        Some(_) => reader.parsed("time_zone"),
    };
    let clock_change = word(reader, "clock_change").unwrap_or(ClockChange::Fire);
    Some(Timetable { cron: cron?, zone: zone?, clock_change })
}

fn word<T: Word>(reader: &mut Reader<'_, '_>, field: &str) -> Option<T> {
    let text = reader.text(field)?;
    let found = T::of_word(text);
    if found.is_none() {
        let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
        reader.refuse(field, near::unknown("rule", text, &words));
    }
    found
}

fn read_job(body: Option<&Value>, now: Timestamp, problems: &mut Vec<Problem>) -> Option<Template> {
    let mut refuse = |place: &str, message: &str| {
        problems.push(Problem::new(format!("/job{place}"), message));
    };
    let Some(body) = body else {
        refuse("", "expected the job to submit, such as {\"flow\": …, \"input\": …}");
        return None;
    };
    if let Some(map) = body.as_map() {
        let given = |field: &str| map.get(field).is_some_and(|value| *value != Value::Null);
        if !given("flow") {
            refuse("/flow", "expected the name of a flow");
            return None;
        }
        for field in ["delay", "run_at"] {
            if given(field) {
                refuse(&format!("/{field}"), "the job of a tick starts at the tick");
            }
        }
    }
    let job = submission::read(body.clone(), "/job", now, problems);
    if job.spec.parent.is_some() {
        problems.push(Problem::new("/job/parent", "the job of a tick has no parent"));
    }
    if job.spec.unique.is_some() {
        let message =
            "say with `overlap` what becomes of a tick while the job before is unfinished";
        problems.push(Problem::new("/job/unique", message));
    }
    let most = TAGS - TICK_TAGS;
    if job.spec.tags.len() > most {
        let message = format!("at most {most} tags: the job of a tick gets {TICK_TAGS} more");
        problems.push(Problem::new("/job/tags", message));
    }
    Some(Template { spec: job.spec, input: job.input.to_json(), params: job.params.to_json() })
}

/// A schedule as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Schedule)]
pub(crate) struct Schedule<'a> {
    #[schema(value_type = String)]
    name: &'a str,
    /// When it ticks.
    #[schema(example = "30 3 * * MON-FRI")]
    cron: String,
    /// The zone whose clocks `cron` is read on.
    #[schema(value_type = String, example = "Europe/Berlin")]
    time_zone: &'a str,
    #[schema(value_type = MissedWord)]
    missed: &'static str,
    missed_limit: u32,
    #[schema(value_type = OverlapWord)]
    overlap: &'static str,
    #[schema(value_type = ClockChangeWord)]
    clock_change: &'static str,
    /// Whether it rests: its ticks do not count.
    paused: bool,
    job: Job<'a>,
    created_at: Moment,
    /// When it was last told something else.
    changed_at: Moment,
    /// The next tick; none while it rests.
    next_at: Option<Moment>,
    /// The next ticks, where one schedule is asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    next_ticks: Vec<Moment>,
    /// How many ticks wait for the job before to end.
    queued: usize,
    /// The last tick that made a job.
    last: Option<Fired>,
    /// The last tick that made none because a rule says so.
    skipped: Option<Skipped>,
    /// The last tick that made none because its job cannot be submitted, if none has made one
    /// since.
    error: Option<Misfire<'a>>,
}

/// What each tick submits.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduledJob)]
struct Job<'a> {
    #[schema(value_type = String)]
    flow: &'a str,
    #[schema(value_type = Value)]
    input: &'a RawValue,
    #[schema(value_type = Object)]
    params: &'a RawValue,
    #[schema(value_type = String)]
    queue: &'a str,
    #[schema(value_type = Option<String>)]
    key: Option<&'a str>,
    priority: i32,
    max_attempts: u32,
    backoff: Waits,
    /// The time limit of one try.
    #[schema(example = "5m")]
    timeout: Option<String>,
    #[schema(value_type = Vec<String>)]
    tags: Tags<'a>,
    /// Who is told when a job has ended.
    #[schema(value_type = Option<String>)]
    webhook: Option<&'a str>,
}

/// How long to wait between tries.
#[derive(Serialize, ToSchema)]
#[schema(as = ScheduledBackoff)]
struct Waits {
    #[schema(example = "1s")]
    initial: String,
    #[schema(example = "5m")]
    max: String,
    multiplier: f64,
    jitter: f64,
}

/// A tick that made a job.
#[derive(Serialize, ToSchema)]
#[schema(as = FiredTick)]
struct Fired {
    tick: Moment,
    job: Id,
}

/// A tick that made no job by a rule.
#[derive(Serialize, ToSchema)]
#[schema(as = SkippedTick)]
struct Skipped {
    tick: Moment,
    /// `missed`, `overlap` or `queue_full`.
    #[schema(value_type = String, example = "overlap")]
    reason: &'static str,
}

/// A tick whose job cannot be submitted.
#[derive(Serialize, ToSchema)]
#[schema(as = FailedTick)]
struct Misfire<'a> {
    tick: Moment,
    /// When it was found.
    at: Moment,
    /// What is wrong with the job.
    #[schema(value_type = String)]
    message: &'a str,
}

impl<'a> Schedule<'a> {
    /// The schedule with its next ticks.
    pub(crate) fn with_ticks(model: &'a Model) -> Self {
        let ticks = model.upcoming(jobmill_model::limits::TICKS_SHOWN);
        Self { next_ticks: ticks.into_iter().map(Moment).collect(), ..Self::from(model) }
    }
}

impl<'a> From<&'a Model> for Schedule<'a> {
    fn from(model: &'a Model) -> Self {
        let Rules { timetable, missed, missed_limit, overlap, job } = &model.rules;
        Self {
            name: model.name.as_str(),
            cron: timetable.cron.to_string(),
            time_zone: timetable.zone.name(),
            missed: missed.word(),
            missed_limit: *missed_limit,
            overlap: overlap.word(),
            clock_change: timetable.clock_change.word(),
            paused: model.paused,
            job: Job::from(job),
            created_at: Moment(model.created_at),
            changed_at: Moment(model.changed_at),
            next_at: model.next_at.map(Moment),
            next_ticks: Vec::new(),
            queued: model.queued.len(),
            last: model.last.map(|last| Fired { tick: Moment(last.tick), job: Id(last.job) }),
            skipped: model.skipped.map(|skipped| Skipped {
                tick: Moment(skipped.tick),
                reason: skipped.reason.word(),
            }),
            error: model.misfire.as_ref().map(|misfire| Misfire {
                tick: Moment(misfire.tick),
                at: Moment(misfire.at),
                message: &misfire.message,
            }),
        }
    }
}

impl<'a> From<&'a Template> for Job<'a> {
    fn from(job: &'a Template) -> Self {
        let Spec {
            flow, queue, key, priority, max_attempts, backoff, timeout, tags, webhook, ..
        } = &job.spec;
        let Backoff { initial, max, multiplier, jitter } = *backoff;
        Self {
            flow: flow.as_str(),
            input: raw(&job.input),
            params: raw(&job.params),
            queue: queue.as_str(),
            key: key.as_ref().map(Name::as_str),
            priority: priority.level(),
            max_attempts: *max_attempts,
            backoff: Waits {
                initial: initial.to_string(),
                max: max.to_string(),
                multiplier,
                jitter,
            },
            timeout: timeout.map(|timeout| timeout.to_string()),
            tags: Tags(tags),
            webhook: webhook.as_deref(),
        }
    }
}

/// A schedule that is gone.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedSchedule)]
pub(crate) struct Deleted<'a> {
    #[schema(value_type = String)]
    pub(crate) name: &'a str,
    #[schema(example = true)]
    pub(crate) deleted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let body = Value::from_json(text.as_bytes()).unwrap();
        read(&body, None, Timestamp::EPOCH, &mut problems);
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let said = said(
            r#"{"name":"a b","cron":"61 * * * *","time_zone":"Mars","missed":"twice",
            "missed_limit":0,"overlap":"queu","clock_change":1,"paused":"no","corn":"x",
            "job":{"flow":"f","delay":"1s","queue":7}}"#,
        );
        let places: Vec<&str> = said.iter().map(|it| it.split(": ").next().unwrap()).collect();
        let want = [
            "/corn",
            "/name",
            "/cron",
            "/time_zone",
            "/clock_change",
            "/missed",
            "/missed_limit",
            "/overlap",
            "/paused",
            "/job/delay",
            "/job/queue",
        ];
        assert_eq!(places, want, "{said:?}");
        assert!(said[7].ends_with("did you mean \"queue\"?"), "{}", said[7]);
    }

    #[test]
    fn what_is_needed_is_asked_for() {
        assert_eq!(said("{}").len(), 3);
        let job = r#"{"name":"n","cron":"@daily","job":{"input":1}}"#;
        assert_eq!(said(job), ["/job/flow: expected the name of a flow"]);
        let limit = r#"{"name":"n","cron":"@daily","missed_limit":3,"job":{"flow":"f"}}"#;
        assert_eq!(said(limit), ["/missed_limit: it needs `missed` to be `all`"]);
    }
}
