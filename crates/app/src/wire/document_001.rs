//! The shapes of document 001's own routes.

use jobmill_model::fault::pointer_below;
use jobmill_model::job::{NewJob, Spec};
use jobmill_model::queue::Name;
use jobmill_model::{Job, JobId, Map, Problem, State, Value, limits};
use serde::Serialize;
use serde::ser::SerializeSeq;
use utoipa::ToSchema;

use super::error::Error;
use super::id::Id;
use super::reader::{MOST_PROBLEMS, Reader, expected};

/// The flow of this document.
const FLOW: &str = "expand_reduce_flow";

/// What is submitted.
#[derive(ToSchema)]
#[schema(as = Document001Submission)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Submission {
    #[schema(inline)]
    job: SubmittedJob,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
struct SubmittedJob {
    /// Objects that are put together, in order, into one root.
    #[schema(value_type = Vec<Object>)]
    input_data: (),
}

/// The id of an accepted job.
#[derive(Serialize, ToSchema)]
#[schema(as = Document001Accepted)]
pub(crate) struct Accepted {
    pub(crate) job_id: Id,
}

/// Where a job stands, in this document's words; with a failed job, why.
#[derive(Serialize, ToSchema)]
#[schema(as = Document001Status)]
pub(crate) struct Status<'a> {
    job_id: Id,
    /// `processing`, `completed` or `failed`.
    #[schema(value_type = String, example = "processing")]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    error: Option<Error<'a>>,
    /// Document 002: the state document.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, required = false)]
    state: Option<Value>,
}

/// The result of a job; `result` only of a completed one.
#[derive(ToSchema)]
#[schema(as = Document001Result)]
#[expect(dead_code, reason = "results are streamed; it describes them")]
pub(crate) struct Outcome {
    job_id: Id,
    /// `processing`, `completed` or `failed`.
    #[schema(example = "completed")]
    status: String,
    #[schema(value_type = Option<Vec<Value>>, required = false)]
    result: (),
}

impl<'a> Status<'a> {
    /// The status alone.
    pub(crate) fn of(job: &'a Job) -> Self {
        Self { job_id: Id(job.id), status: word(job.state), error: None, state: None }
    }

    /// The status with a state document.
    pub(crate) fn with_state(self, state: Option<Value>) -> Self {
        Self { state, ..self }
    }

    /// The status and, if there will be no result, why.
    pub(crate) fn without_result(job: &'a Job) -> Self {
        let error = match job.state {
            State::Failed => Error::of(job),
            State::Cancelled => Some(Error::CANCELLED),
            _ => None,
        };
        Self { error, ..Self::of(job) }
    }

    /// The text before the result of a completed job.
    pub(crate) fn head(id: JobId) -> String {
        format!("{{\"job_id\":\"{id}\",\"status\":\"completed\",\"result\":")
    }
}

/// A cancelled job will never have a result, which this document calls `failed`.
fn word(state: State) -> &'static str {
    match state {
        State::Scheduled | State::Submitted | State::Running => "processing",
        State::Completed => "completed",
        State::Failed | State::Cancelled => "failed",
    }
}

/// Reads a submission: `{"job": {"input_data": [{…}, …]}}`.
pub(crate) fn read(body: &Value, problems: &mut Vec<Problem>) -> Option<NewJob> {
    let mut reader = Reader::object(body, "", problems)?;
    reader.only(&["job"]);
    let Some(job) = reader.value("job") else {
        reader.refuse("job", "field required");
        return None;
    };
    let mut reader = Reader::object(job, "/job", problems)?;
    reader.only(&["input_data"]);
    let items = match reader.value("input_data") {
        Some(Value::List(items)) => items,
        Some(other) => {
            reader.refuse("input_data", expected("a list of objects", other));
            return None;
        }
        None => {
            reader.refuse("input_data", "field required");
            return None;
        }
    };
    let mut spec = Spec::new(Name::trusted(FLOW));
    let root = put_together(items, &mut spec.warnings, problems);
    Some(NewJob { spec, input: Value::from(root), params: Value::from(Map::new()) })
}

/// Puts objects together, in order, into one; a key that appears twice keeps its later value.
fn put_together(items: &[Value], warnings: &mut Vec<String>, problems: &mut Vec<Problem>) -> Map {
    let mut root = Map::new();
    let mut again = 0_usize;
    for (index, item) in items.iter().enumerate() {
        let Some(map) = item.as_map() else {
            let pointer = pointer_below("/job/input_data", index);
            problems.push(Problem::new(pointer, expected("an object", item)));
            if problems.len() >= MOST_PROBLEMS {
                break;
            }
            continue;
        };
        for (key, value) in map.iter() {
            if root.insert(key.clone(), value.clone()).is_none() {
                continue;
            }
            again += 1;
            if again < limits::WARNINGS {
                warnings.push(format!("the key {key:?} appears again; its later value is kept"));
            }
        }
    }
    if again >= limits::WARNINGS {
        let rest = again + 1 - limits::WARNINGS;
        warnings.push(format!("{rest} more keys appear again; their later values are kept"));
    }
    root
}

/// A refusal on these routes, as FastAPI writes it: a text, or a list of what is wrong.
pub(crate) enum Detail<'a> {
    Text(&'a str),
    List { kind: &'static str, problems: &'a [Problem] },
}

impl Serialize for Detail<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::List { kind, problems } => {
                let mut list = serializer.serialize_seq(Some(problems.len()))?;
                for Problem { pointer, message } in *problems {
                    list.serialize_element(&Wrong {
                        r#type: kind,
                        loc: loc(pointer),
                        msg: message,
                    })?;
                }
                list.end()
            }
        }
    }
}

/// A refusal on these routes.
#[derive(Serialize, ToSchema)]
#[schema(as = Document001Error)]
pub(crate) struct Refused<'a> {
    /// A text, or a list of what is wrong, each with `loc`, `msg` and `type`.
    #[schema(value_type = Value, example = "Job not found: no job has this id")]
    pub(crate) detail: Detail<'a>,
}

#[derive(Serialize)]
struct Wrong<'a> {
    r#type: &'static str,
    loc: Vec<Value>,
    msg: &'a str,
}

/// A pointer as FastAPI's list of steps.
fn loc(pointer: &str) -> Vec<Value> {
    if let Some(parameter) = pointer.strip_prefix('?') {
        return vec![Value::from("query"), Value::from(parameter)];
    }
    let steps = pointer.split('/').skip(1).map(|step| match step.parse::<i64>() {
        Ok(index) => Value::from(index),
        Err(_) => Value::from(step.replace("~1", "/").replace("~0", "~")),
    });
    std::iter::once(Value::from("body")).chain(steps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<NewJob, Vec<String>> {
        let mut problems = Vec::new();
        let job = read(&Value::from_json(text.as_bytes()).unwrap(), &mut problems);
        match job {
            Some(job) if problems.is_empty() => Ok(job),
            _ => Err(problems.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn objects_are_put_together_in_order() {
        let job = read_text(r#"{"job":{"input_data":[{"b":1},{"a":2},{"b":3}]}}"#).unwrap();
        assert_eq!(job.input.to_string(), r#"{"b":3,"a":2}"#);
        assert_eq!(job.spec.warnings, ["the key \"b\" appears again; its later value is kept"]);
    }

    #[test]
    fn many_keys_that_appear_again_make_few_warnings() {
        let one: Vec<String> = (0..100).map(|n| format!("\"{n}\":0")).collect();
        let one = format!("{{{}}}", one.join(","));
        let job = read_text(&format!(r#"{{"job":{{"input_data":[{one},{one}]}}}}"#)).unwrap();
        assert_eq!(job.spec.warnings.len(), limits::WARNINGS);
        assert!(job.spec.warnings[limits::WARNINGS - 1].starts_with("69 more"));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let said = read_text(r#"{"job":{"input_data":[1,{},"x"],"y":0},"z":0}"#).unwrap_err();
        assert_eq!(said.len(), 4, "{said:?}");
        assert_eq!(read_text("{}").unwrap_err(), ["/job: field required"]);
        assert_eq!(read_text("[]").unwrap_err(), ["expected an object, got an array"]);
    }

    #[test]
    fn places_are_written_as_steps() {
        let steps = Value::from(loc("/job/input_data/3/a~1b")).to_string();
        assert_eq!(steps, r#"["body","job","input_data",3,"a/b"]"#);
    }
}
