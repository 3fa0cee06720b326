//! `Execution` of Executions v1.

use std::str::FromStr;

use jobmill_model::definition::{CallLogLevel, HistoryLevel, Texts};
use jobmill_model::execution::ExecutionParams;
use jobmill_model::machine::StepName;
use jobmill_model::{Job, Span, State, Timestamp, Value};

use super::body::{self, Body};
use super::field::{Datum, Field, Kind, Record};
use super::workflow::said;
use super::{Error, ExecutionName, duration};

/// The states, in the order of Google's numbers.
pub const STATES: &[&str] =
    &["STATE_UNSPECIFIED", "ACTIVE", "SUCCEEDED", "FAILED", "CANCELLED", "UNAVAILABLE", "QUEUED"];

/// The fields that filters and orders of executions may name.
pub const FIELDS: &[Field] = &[
    Field { name: "executionId", kind: Kind::Text },
    Field { name: "state", kind: Kind::Word(STATES) },
    Field { name: "createTime", kind: Kind::Time },
    Field { name: "startTime", kind: Kind::Time },
    Field { name: "endTime", kind: Kind::Time },
    Field { name: "duration", kind: Kind::Duration },
    Field { name: "workflowRevisionId", kind: Kind::Text },
    Field { name: "stepName", kind: Kind::Text },
    Field { name: "label", kind: Kind::Texts },
    Field { name: "labels", kind: Kind::Texts },
    Field { name: "disableConcurrencyQuotaOverflowBuffering", kind: Kind::Flag },
];

/// How much of an execution is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Its name, times, state and revision.
    Basic,
    /// Everything.
    Full,
}

/// A place of a stack trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The routine.
    pub routine: String,
    /// The step.
    pub step: String,
    /// Line, column and length.
    pub position: [u32; 3],
}

/// How an execution failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    /// The JSON text of the error.
    pub payload: String,
    /// What it was and where, in lines.
    pub context: String,
    /// Where it was, innermost first.
    pub stack: Vec<Frame>,
}

/// An execution under the name by which it was asked for.
#[derive(Debug, Clone)]
pub struct Execution<'a> {
    /// Its name.
    pub name: ExecutionName,
    /// The job behind it.
    pub job: &'a Job,
    /// What the job's params say.
    pub params: ExecutionParams,
    /// The JSON text of its result.
    pub result: Option<String>,
    /// How it failed.
    pub failure: Option<Failure>,
    /// The steps that it is in, one for each branch.
    pub steps: Vec<StepName>,
}

/// The state of an execution whose job is in this state.
///
/// A job that waits for a worker is `ACTIVE`: clients wait while they read that word, and it
/// begins as soon as it can. One that waits for its time is `QUEUED`.
#[must_use]
pub fn state(state: State) -> &'static str {
    match state {
        State::Scheduled => "QUEUED",
        State::Submitted | State::Running => "ACTIVE",
        State::Completed => "SUCCEEDED",
        State::Failed => "FAILED",
        State::Cancelled => "CANCELLED",
    }
}

/// The states of jobs whose executions are in this state.
#[must_use]
pub fn states_of(word: &str) -> Vec<State> {
    State::ALL.into_iter().filter(|it| state(*it) == word).collect()
}

impl<'a> Execution<'a> {
    /// An execution of which nothing is known but its job.
    #[must_use]
    pub fn new(name: ExecutionName, job: &'a Job) -> Self {
        let params = job.params.to_value().map(|params| ExecutionParams::from_value(&params));
        let params = params.unwrap_or_default();
        Self { name, job, params, result: None, failure: None, steps: Vec::new() }
    }

    fn started_at(&self) -> Timestamp {
        self.job.started_at.unwrap_or(self.job.created_at)
    }

    fn duration(&self) -> Option<Span> {
        self.job.finished_at.map(|end| end.since(self.started_at()))
    }

    /// The resource as an object; what is empty is left out.
    #[must_use]
    pub fn to_value(&self, view: View) -> Value {
        let time = |at: Timestamp| Value::from(at.to_string());
        let params = &self.params;
        let is_full = view == View::Full;
        let full = |value: Option<Value>| value.filter(|_| is_full);
        let labels = (!params.labels.is_empty()).then(|| body::texts(&params.labels));
        let fields = [
            ("name", Some(self.name.to_string().into())),
            ("createTime", Some(time(self.job.created_at))),
            ("startTime", Some(time(self.started_at()))),
            ("endTime", self.job.finished_at.map(time)),
            ("duration", self.duration().map(|span| duration::print(span).into())),
            ("state", Some(state(self.job.state).into())),
            ("argument", full(Some(self.job.input.as_str().into()))),
            ("result", full(self.result.as_deref().map(Into::into))),
            ("error", full(self.failure.as_ref().map(Failure::to_value))),
            ("workflowRevisionId", Some(params.revision.as_str().into())),
            ("callLogLevel", full(said(params.call_log_level.as_str()))),
            ("status", full(self.status())),
            ("labels", full(labels)),
            ("executionHistoryLevel", full(said(params.history_level.as_str()))),
        ];
        Value::map(fields.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    fn status(&self) -> Option<Value> {
        let step = |name: &StepName| {
            Value::map([("routine", Value::from(&*name.routine)), ("step", (&*name.step).into())])
        };
        let steps = Value::list(self.steps.iter().map(step));
        (!self.steps.is_empty()).then(|| Value::map([("currentSteps", steps)]))
    }
}

impl Failure {
    fn to_value(&self) -> Value {
        let mut fields = vec![
            ("payload", Value::from(self.payload.as_str())),
            ("context", self.context.as_str().into()),
        ];
        if !self.stack.is_empty() {
            let elements = Value::list(self.stack.iter().map(Frame::to_value));
            fields.push(("stackTrace", Value::map([("elements", elements)])));
        }
        Value::map(fields)
    }
}

impl Frame {
    /// Numbers of 64 bits are written as text.
    fn to_value(&self) -> Value {
        let number = |number: u32| Value::from(number.to_string());
        let [line, column, length] = self.position.map(number);
        let position = [("line", line), ("column", column), ("length", length)];
        Value::map([
            ("step", self.step.as_str().into()),
            ("routine", self.routine.as_str().into()),
            ("position", Value::map(position)),
        ])
    }
}

impl Record for Execution<'_> {
    fn datum(&self, field: &str) -> Datum<'_> {
        match field {
            "executionId" => self.job.id.to_string().into(),
            "state" => state(self.job.state).into(),
            "createTime" => self.job.created_at.into(),
            "startTime" => self.started_at().into(),
            "endTime" => self.job.finished_at.into(),
            "duration" => self.duration().into(),
            "workflowRevisionId" => self.params.revision.as_str().into(),
            "stepName" => self.steps.first().map(|name| &*name.step).into(),
            "label" | "labels" => Datum::Texts(&self.params.labels),
            "disableConcurrencyQuotaOverflowBuffering" => Datum::Flag(false),
            _ => Datum::Absent,
        }
    }
}

/// An execution as `create` asks for it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewExecution {
    /// What it works on.
    pub argument: Value,
    /// Its labels.
    pub labels: Texts,
    /// Which of its calls are logged.
    pub call_log_level: CallLogLevel,
    /// How much of its history somebody wants to see.
    pub history_level: HistoryLevel,
}

impl NewExecution {
    /// Reads the body of `create`. Its argument is JSON within a string.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`
    pub fn read(value: &Value) -> Result<Self, Error> {
        let body = Body::read(value)?;
        body.flag("disableConcurrencyQuotaOverflowBuffering")?;
        let argument = match body.text("argument")? {
            None | Some("") => Value::Null,
            Some(text) => Value::from_json(text.as_bytes()).map_err(|error| {
                Error::invalid(format!("execution.argument must be a valid JSON string: {error}"))
            })?,
        };
        let level = body.word("callLogLevel", &CallLogLevel::ALL, CallLogLevel::as_str)?;
        let history =
            body.word("executionHistoryLevel", &HistoryLevel::ALL, HistoryLevel::as_str)?;
        Ok(Self {
            argument,
            labels: body.texts("labels")?.unwrap_or_default(),
            call_log_level: level.unwrap_or_default(),
            history_level: history.unwrap_or_default(),
        })
    }
}

impl View {
    /// Reads a view, a word or its number; nothing means `usual`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`: another word.
    pub fn read(text: Option<&str>, usual: Self) -> Result<Self, Error> {
        text.map_or(Ok(usual), |text| match text {
            "EXECUTION_VIEW_UNSPECIFIED" | "0" => Ok(usual),
            text => text.parse(),
        })
    }
}

impl FromStr for View {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "BASIC" | "1" => Ok(Self::Basic),
            "FULL" | "2" => Ok(Self::Full),
            other => Err(Error::invalid(format!("invalid view {other:?}; known are BASIC, FULL"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use jobmill_model::job::{Progress, Spec};
    use jobmill_model::queue::Name;
    use jobmill_model::{JobId, Json};

    use super::super::Filter;
    use super::*;

    fn job(state: State) -> Job {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let labels = Texts::from([("env".to_owned(), "prod".to_owned())]);
        let params =
            ExecutionParams { revision: "000001-a4d".into(), labels, ..Default::default() };
        Job {
            id: JobId::from_parts(at, [7; 10]),
            spec: Spec::new(Name::trusted("workflow:w")),
            input: Value::Int(1).to_json(),
            params: params.to_value().to_json(),
            state,
            attempt: 1,
            crashes: 0,
            run: 1,
            progress: Progress::default(),
            created_at: at,
            run_at: at,
            started_at: Some(at),
            finished_at: state.is_final().then(|| at.after(Span::from_millis(1_500))),
            error: None,
            waiting_for: None,
        }
    }

    fn name(job: &Job) -> ExecutionName {
        let text = format!("projects/p/locations/l/workflows/w/executions/{}", job.id);
        text.parse().unwrap()
    }

    #[test]
    fn a_failed_execution_shows_its_error_with_numbers_as_text() {
        let job = job(State::Failed);
        let frame = Frame { routine: "main".into(), step: "a".into(), position: [2, 5, 7] };
        let failure = Failure {
            payload: "\"no\"".into(),
            context: "RuntimeError: \"no\"".into(),
            stack: vec![frame],
        };
        let mut execution = Execution::new(name(&job), &job);
        execution.failure = Some(failure);
        let value = execution.to_value(View::Full);
        let map = value.as_map().unwrap();
        assert_eq!(
            map.get("error").unwrap().to_string(),
            concat!(
                r#"{"payload":"\"no\"","context":"RuntimeError: \"no\"","#,
                r#""stackTrace":{"elements":["#,
                r#"{"step":"a","routine":"main","#,
                r#""position":{"line":"2","column":"5","length":"7"}}]}}"#
            )
        );
        let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
        assert_eq!(text("state").as_deref(), Some("FAILED"));
        assert_eq!(text("duration").as_deref(), Some("1.500s"));
        assert_eq!(text("argument").as_deref(), Some("1"));
        let basic = execution.to_value(View::Basic);
        let shown: Vec<String> = basic.as_map().unwrap().keys().map(ToString::to_string).collect();
        let expected = [
            "name",
            "createTime",
            "startTime",
            "endTime",
            "duration",
            "state",
            "workflowRevisionId",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn executions_are_filtered_by_what_the_documentation_names() {
        let job = job(State::Completed);
        let execution = Execution::new(name(&job), &job);
        let filter = |text: &str| Filter::read(text, FIELDS).unwrap().matches(&execution);
        for text in [
            "state=\"SUCCEEDED\"",
            "startTime>\"2023-08-01\" AND state=SUCCEEDED",
            "duration = 1.5s workflowRevisionId=000001-a4d",
            "label.env=prod labels:env",
            "executionId:0 disableConcurrencyQuotaOverflowBuffering=false",
        ] {
            assert!(filter(text), "{text}");
        }
        assert!(!filter("stepName=x") && !filter("endTime<\"2023-08-01\""));
        assert!(Filter::read("argument=1", FIELDS).is_err());
    }

    #[test]
    fn every_state_of_a_job_is_a_state_of_an_execution() {
        for job in State::ALL {
            assert!(STATES.contains(&state(job)));
            assert!(states_of(state(job)).contains(&job));
        }
        assert_eq!(states_of("UNAVAILABLE"), []);
    }

    #[test]
    fn an_argument_is_json_within_a_string() {
        let read = |text: &str| NewExecution::read(&Value::from_json(text.as_bytes()).unwrap());
        let new = read(r#"{"argument":"{\"a\":[1]}","labels":{},"callLogLevel":3}"#).unwrap();
        assert_eq!(new.argument.to_string(), r#"{"a":[1]}"#);
        assert_eq!(new.call_log_level, CallLogLevel::Nothing);
        assert_eq!(read("null").unwrap(), NewExecution::default());
        assert!(read(r#"{"argument":"{"}"#).unwrap_err().message.contains("valid JSON string"));
        assert!(read(r#"{"argument":{}}"#).is_err());
        let _: Json = new.argument.to_json();
    }

    #[test]
    fn views_are_words_or_numbers() {
        assert_eq!(View::read(None, View::Full).unwrap(), View::Full);
        assert_eq!(View::read(Some("1"), View::Full).unwrap(), View::Basic);
        assert_eq!(View::read(Some("0"), View::Full).unwrap(), View::Full);
        assert!(View::read(Some("SOME"), View::Full).is_err());
    }
}
