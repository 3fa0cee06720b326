//! A workflow's definition, what is deployed of it, and what an execution is begun with.

use std::collections::BTreeMap;
use std::sync::Arc;

use jobmill_engine::{Execute, Finding};
use jobmill_model::definition::{CallLogLevel, Change, Definition, Texts};
use jobmill_model::fault::pointer_below;
use jobmill_model::{Problem, Value};
use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;
use super::reader::{Reader, expected};

/// A workflow at one of its revisions.
#[derive(Serialize, ToSchema)]
#[schema(as = Workflow)]
pub(crate) struct Workflow<'a> {
    #[schema(value_type = String, example = "orders")]
    name: &'a str,
    /// The revision, which executions stay on.
    #[schema(value_type = String, example = "000001-a4d")]
    revision: &'a str,
    /// The flow of its executions, which are jobs.
    #[schema(example = "workflow:orders")]
    flow: String,
    #[schema(value_type = String)]
    description: &'a str,
    #[schema(value_type = BTreeMap<String, String>)]
    labels: &'a Texts,
    /// Variables that executions read with `sys.get_env`.
    #[schema(value_type = BTreeMap<String, String>)]
    env: &'a Texts,
    /// Whom its calls act for.
    #[schema(value_type = String)]
    service_account: &'a str,
    /// Which calls are logged.
    #[schema(value_type = String, example = "LOG_ALL_CALLS")]
    call_log_level: &'static str,
    /// The Google project that executions are told they run in.
    #[schema(value_type = String)]
    project: &'a str,
    /// The Google location that executions are told they run in.
    #[schema(value_type = String)]
    location: &'a str,
    created_at: Moment,
    updated_at: Moment,
    /// When this revision was made.
    revised_at: Moment,
    /// The source, where one workflow is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, nullable = false)]
    source: Option<&'a str>,
    /// What is odd about a source that was deployed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Flaw<'a>>,
}

/// Something that is wrong with a source, and where.
#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
pub(crate) struct Flaw<'a> {
    /// `error` or `warning`.
    #[schema(value_type = String)]
    severity: &'static str,
    /// A stable name of the rule.
    #[schema(value_type = String, example = "unknown-symbol")]
    code: &'a str,
    #[schema(value_type = String)]
    message: &'a str,
    #[schema(value_type = Option<String>)]
    step: Option<&'a str>,
    #[schema(value_type = Option<String>)]
    routine: Option<&'a str>,
    /// From 1.
    line: u32,
    /// In characters, from 1.
    column: u32,
    /// In characters.
    length: u32,
    /// The line of the source with carets under the place.
    #[schema(value_type = String)]
    excerpt: &'a str,
    /// What to write instead.
    #[schema(value_type = Option<String>)]
    suggestion: Option<&'a str>,
}

impl<'a> Workflow<'a> {
    /// A workflow among others: without its source.
    pub(crate) fn row(definition: &'a Definition) -> Self {
        let Definition { name, place, revision, content, .. } = definition;
        Self {
            name: name.as_str(),
            revision,
            flow: jobmill_model::definition::flow_of(name).to_string(),
            description: &content.description,
            labels: &content.labels,
            env: &content.env,
            service_account: &content.service_account,
            call_log_level: content.call_log_level.as_str(),
            project: &place.project,
            location: &place.location,
            created_at: Moment(definition.created_at),
            updated_at: Moment(definition.updated_at),
            revised_at: Moment(definition.revised_at),
            source: None,
            warnings: Vec::new(),
        }
    }

    /// A workflow with its source.
    pub(crate) fn whole(definition: &'a Definition, warnings: &'a [Finding]) -> Self {
        Self {
            source: Some(&definition.content.source),
            warnings: warnings.iter().map(Flaw::from).collect(),
            ..Self::row(definition)
        }
    }
}

/// What is wrong with a file, as the command line shows it to a program.
#[derive(Serialize)]
pub(crate) struct FileFindings<'a> {
    file: &'a str,
    findings: Vec<Flaw<'a>>,
}

impl<'a> FileFindings<'a> {
    pub(crate) fn new(file: &'a str, findings: &'a [Finding]) -> Self {
        Self { file, findings: findings.iter().map(Flaw::from).collect() }
    }
}

impl<'a> From<&'a Finding> for Flaw<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            severity: if finding.is_error { "error" } else { "warning" },
            code: &finding.code,
            message: &finding.message,
            step: finding.step.as_deref(),
            routine: finding.routine.as_deref(),
            line: finding.line,
            column: finding.column,
            length: finding.length,
            excerpt: &finding.excerpt,
            suggestion: finding.suggestion.as_deref(),
        }
    }
}

/// What to deploy. What is not given stays as it is.
#[derive(ToSchema)]
#[schema(as = WorkflowDeployment)]
#[allow(dead_code, reason = "the schema of a body that is read by hand")]
pub(crate) struct Deployment {
    /// The source in the language of Google Cloud Workflows, YAML or JSON; a new workflow needs
    /// one.
    #[schema(required = false, example = "- done:\n    return: 1\n")]
    source: Option<String>,
    #[schema(required = false)]
    description: Option<String>,
    #[schema(required = false)]
    labels: Option<BTreeMap<String, String>>,
    /// Variables that executions read with `sys.get_env`.
    #[schema(required = false)]
    env: Option<BTreeMap<String, String>>,
    /// Whom its calls act for.
    #[schema(required = false)]
    service_account: Option<String>,
    /// `LOG_ALL_CALLS`, `LOG_ERRORS_ONLY` or `LOG_NONE`.
    #[schema(required = false, example = "LOG_ALL_CALLS")]
    call_log_level: Option<String>,
}

/// Reads what to deploy.
pub(crate) fn read_deployment(body: &Value, problems: &mut Vec<Problem>) -> Change {
    let Some(mut reader) = Reader::object(body, "", problems) else { return Change::default() };
    reader.only(&["source", "description", "labels", "env", "service_account", "call_log_level"]);
    Change {
        source: reader.text("source").map(Arc::from),
        description: reader.text("description").map(str::to_owned),
        labels: texts(&mut reader, "labels"),
        env: texts(&mut reader, "env"),
        service_account: reader.text("service_account").map(str::to_owned),
        call_log_level: level(&mut reader),
        history_level: None,
    }
}

/// What to begin an execution with.
#[derive(ToSchema)]
#[schema(as = WorkflowExecution)]
#[allow(dead_code, reason = "the schema of a body that is read by hand")]
pub(crate) struct Execution {
    /// What the workflow works on.
    #[schema(required = false, value_type = Value)]
    argument: Value,
    /// The revision to run, if not the present one.
    #[schema(required = false, example = "000001-a4d")]
    revision: String,
    /// Names to find it by, besides those of the workflow.
    #[schema(required = false)]
    labels: BTreeMap<String, String>,
    /// `LOG_ALL_CALLS`, `LOG_ERRORS_ONLY` or `LOG_NONE`.
    #[schema(required = false)]
    call_log_level: String,
}

/// Reads what to begin an execution with.
pub(crate) fn read_execution(body: &Value, problems: &mut Vec<Problem>) -> Execute {
    let Some(mut reader) = Reader::object(body, "", problems) else { return Execute::default() };
    reader.only(&["argument", "revision", "labels", "call_log_level"]);
    let execute = Execute {
        argument: reader.value("argument").cloned().unwrap_or_default(),
        revision: reader.text("revision").map(str::to_owned),
        labels: texts(&mut reader, "labels").unwrap_or_default(),
        call_log_level: level(&mut reader).unwrap_or_default(),
        ..Execute::default()
    };
    problems.extend(jobmill_model::definition::label_problems(&execute.labels));
    execute
}

fn level(reader: &mut Reader<'_, '_>) -> Option<CallLogLevel> {
    let text = reader.text("call_log_level")?;
    let level = CallLogLevel::of(text);
    if level.is_none() {
        let known = "LOG_ALL_CALLS, LOG_ERRORS_ONLY or LOG_NONE";
        reader.refuse("call_log_level", format!("expected {known}, got {text:?}"));
    }
    level
}

fn texts(reader: &mut Reader<'_, '_>, field: &str) -> Option<Texts> {
    let value = reader.value(field)?;
    let Some(map) = value.as_map() else {
        reader.refuse(field, expected("an object of strings", value));
        return None;
    };
    let mut read = Texts::new();
    for (key, value) in map.iter() {
        match value.as_str() {
            Some(text) => drop(read.insert(key.to_string(), text.to_owned())),
            None => {
                let place = pointer_below(field, key);
                reader.refuse_at(&place, expected("a string", value));
            }
        }
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(read: impl Fn(&Value, &mut Vec<Problem>), body: &str) -> Vec<String> {
        let mut problems = Vec::new();
        read(&Value::from_json(body.as_bytes()).unwrap(), &mut problems);
        problems.into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn everything_that_is_wrong_with_a_deployment_is_said_at_once() {
        let body = r#"{"source":1,"labels":{"a/b":2},"env":[],"call_log_level":"ALL","x":0}"#;
        assert_eq!(
            problems(|body, all| drop(read_deployment(body, all)), body),
            ["/x", "/source", "/labels/a~1b", "/env", "/call_log_level"]
        );
    }

    #[test]
    fn everything_that_is_wrong_with_an_execution_is_said_at_once() {
        let body = r#"{"argument":[1],"revision":1,"labels":{"":"x"},"data":1}"#;
        assert_eq!(
            problems(|body, all| drop(read_execution(body, all)), body),
            ["/data", "/revision", "/labels/"]
        );
    }
}
