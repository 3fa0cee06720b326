//! The job object.

use std::borrow::Cow;

use jobmill_model::{Job as Model, Json};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use jobmill_engine::Submitted;

use super::error::Error;
use super::id::Id;
use super::moment::Moment;
use super::state::{Word, Words};

/// A job as it stands.
///
/// A job whose submission had no `flow` also shows the fields of its input beside its own.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct Job<'a> {
    id: Id,
    /// The flow that it runs.
    #[schema(value_type = String, example = "expand_reduce_flow")]
    flow: &'a str,
    /// The queue that it waits in.
    #[schema(value_type = String, example = "default")]
    queue: &'a str,
    /// Whose work it is: of each key, a queue has only so many jobs at work at once.
    #[schema(value_type = Option<String>)]
    key: Option<&'a str>,
    #[schema(value_type = Words)]
    status: Word,
    /// What the flow works on, as it was submitted.
    #[schema(value_type = Value)]
    input: &'a RawValue,
    /// How the flow works, as it was submitted.
    #[schema(value_type = Object)]
    params: &'a RawValue,
    /// How much it is preferred within its queue; higher goes first.
    #[schema(minimum = -1000, maximum = 1000)]
    priority: i32,
    /// Tries of the flow begun in this run.
    attempt: u32,
    /// How many tries there may be.
    max_attempts: u32,
    progress: Progress<'a>,
    created_at: Moment,
    run_at: Moment,
    started_at: Option<Moment>,
    finished_at: Option<Moment>,
    error: Option<Error<'a>>,
    /// What was odd about the submission.
    warnings: &'a [String],
    /// Names to find it by.
    #[schema(value_type = Vec<String>)]
    tags: Tags<'a>,
    /// The job that spawned this one.
    parent: Option<Id>,
    /// What a machine waits for in the middle of its work.
    #[schema(value_type = Option<String>)]
    waiting_for: Option<&'a str>,
    /// Who is told when it has ended.
    #[schema(value_type = Option<String>)]
    webhook: Option<&'a str>,
    /// In the answer to a submission with `unique`: whether this job was there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<bool>,
    #[serde(flatten)]
    #[schema(ignore)]
    echo: Echo<'a>,
}

/// How far a job has come, as its flow counts.
#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct Progress<'a> {
    /// Units of work done.
    done: u64,
    /// Units of work in all; 0 when not known.
    total: u64,
    /// What it is doing.
    #[schema(value_type = String)]
    message: &'a str,
}

impl<'a> From<&'a jobmill_model::job::Progress> for Progress<'a> {
    fn from(progress: &'a jobmill_model::job::Progress) -> Self {
        Self { done: progress.done, total: progress.total, message: &progress.message }
    }
}

pub(crate) struct Tags<'a>(pub(crate) &'a [jobmill_model::queue::Name]);

impl Serialize for Tags<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(jobmill_model::queue::Name::as_str))
    }
}

/// The names of the job's own fields, which an echoed field never overwrites.
pub(crate) const OWN_FIELDS: [&str; 22] = [
    "id",
    "flow",
    "queue",
    "key",
    "status",
    "input",
    "params",
    "priority",
    "attempt",
    "max_attempts",
    "progress",
    "created_at",
    "run_at",
    "started_at",
    "finished_at",
    "error",
    "warnings",
    "tags",
    "parent",
    "waiting_for",
    "webhook",
    "duplicate",
];

impl<'a> From<&'a Submitted> for Job<'a> {
    fn from(submitted: &'a Submitted) -> Self {
        let Submitted { job, known } = submitted;
        Self { duplicate: job.spec.unique.as_ref().map(|_| *known), ..Self::from(job) }
    }
}

impl<'a> From<&'a Model> for Job<'a> {
    fn from(job: &'a Model) -> Self {
        let Model { spec, progress, .. } = job;
        Self {
            id: Id(job.id),
            flow: spec.flow.as_str(),
            queue: spec.queue.as_str(),
            key: spec.key.as_ref().map(jobmill_model::queue::Name::as_str),
            status: Word(job.state),
            input: raw(&job.input),
            params: raw(&job.params),
            priority: spec.priority.level(),
            attempt: job.attempt,
            max_attempts: spec.max_attempts,
            progress: Progress::from(progress),
            created_at: Moment(job.created_at),
            run_at: Moment(job.run_at),
            started_at: job.started_at.map(Moment),
            finished_at: job.finished_at.map(Moment),
            error: Error::of(job),
            warnings: &spec.warnings,
            tags: Tags(&spec.tags),
            parent: spec.parent.map(Id),
            waiting_for: job.waiting_for.as_deref(),
            webhook: spec.webhook.as_deref(),
            duplicate: None,
            echo: if spec.bare { Echo::of(&job.input) } else { Echo(Vec::new()) },
        }
    }
}

/// Stored JSON, to be written as it is.
pub(crate) fn raw(json: &Json) -> &RawValue {
    serde_json::from_str(json.as_str()).unwrap_or(RawValue::NULL)
}

/// The fields of a bare submission that are shown beside the job's own.
struct Echo<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Echo<'a> {
    fn of(input: &'a Json) -> Self {
        let mut deserializer = serde_json::Deserializer::from_str(input.as_str());
        Self(deserializer.deserialize_map(Fields).unwrap_or_default())
    }
}

impl Serialize for Echo<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = access.next_entry::<Key<'de>, &'de RawValue>()? {
            if !OWN_FIELDS.contains(&&*key.0) {
                fields.push((key.0, value));
            }
        }
        Ok(fields)
    }
}

/// A key that is borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;
    use jobmill_model::job::{Progress, Spec};
    use jobmill_model::queue::Name;
    use jobmill_model::{JobId, State, Timestamp, Value};

    fn shown(input: &str, bare: bool) -> Value {
        let at = Timestamp::EPOCH;
        let job = Model {
            id: JobId::from_parts(at, [0; 10]),
            spec: Spec { bare, ..Spec::new(Name::trusted("range_report")) },
            input: Json::trusted(input),
            params: Json::trusted("{}"),
            state: State::Submitted,
            attempt: 0,
            crashes: 0,
            run: 1,
            progress: Progress::default(),
            created_at: at,
            run_at: at,
            started_at: None,
            finished_at: None,
            error: None,
            waiting_for: None,
        };
        let shown = Job { duplicate: Some(false), ..Job::from(&job) };
        let text = serde_json::to_vec(&shown).unwrap();
        Value::from_json(&text).unwrap()
    }

    #[test]
    fn the_list_of_own_fields_is_complete() {
        let job = shown("{}", false);
        let keys: Vec<&str> = job.as_map().unwrap().keys().map(|key| &**key).collect();
        assert_eq!(keys, OWN_FIELDS);
    }

    #[test]
    fn the_fields_of_a_bare_submission_are_echoed_and_overwrite_nothing() {
        let job = shown(r#"{"start":1,"status":"mine","a\"b":[1,{"c":2}]}"#, true);
        let job = job.as_map().unwrap();
        assert_eq!(job.get("start"), Some(&Value::from(1)));
        assert_eq!(job.get("status"), Some(&Value::from("submitted")));
        assert_eq!(job.get("a\"b").unwrap().to_string(), r#"[1,{"c":2}]"#);
        assert_eq!(job.len(), OWN_FIELDS.len() + 2);
    }
}
