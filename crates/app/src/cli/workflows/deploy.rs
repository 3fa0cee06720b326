//! `jobmill workflows deploy`: a definition to a server.

use std::path::PathBuf;

use clap::Args;
use jobmill_model::definition::definition_name;
use jobmill_model::{Map, Value};

use super::super::Failure;
use super::super::screen::{Screen, line, say};
use super::super::session::{number, object, text};
use super::{check, route};
use crate::client::{Client, ClientError, Refusal, Request};

/// Deploys a definition to a server
#[derive(Debug, Args)]
#[command(after_help = "\
A changed source makes a new revision; what runs stays on its own. A source with errors is refused,
and all of them are shown.

Examples:
  jobmill workflows deploy order.yaml
  jobmill workflows deploy order.yaml --name orders --label team=shop --env STAGE=test")]
pub(crate) struct Deploy {
    /// The file, YAML or JSON
    file: PathBuf,
    /// The workflow's name; without it the name of the file
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A label; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// A variable that executions read with sys.get_env; may be given several times
    #[arg(long = "env", value_name = "NAME=VALUE")]
    env: Vec<String>,
}

impl Deploy {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let name = self.name()?;
        let body = object([
            ("source", Some(Value::from(check::read(&self.file)?))),
            ("description", self.description.as_deref().map(Value::from)),
            ("labels", pairs("--label", &self.labels)?),
            ("env", pairs("--env", &self.env)?),
        ]);
        let deployed = client.ask(&Request::put(route(&name, "")).json(&body)).await;
        let workflow = deployed.map_err(|error| self.refused(error))?;
        if screen.is_json() {
            return Ok(screen.value(&workflow)?);
        }
        let warnings = workflow.as_map().and_then(|map| map.get("warnings"));
        for warning in warnings.and_then(Value::as_list).unwrap_or_default() {
            say(&self.shown("warning", warning));
        }
        line(&format!("{name} is deployed as revision {}", text(&workflow, "revision")))?;
        Ok(())
    }

    fn name(&self) -> Result<String, Failure> {
        let stem = || self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = self.name.clone().unwrap_or_else(stem);
        match definition_name(&name) {
            Ok(_) => Ok(name),
            Err(error) => Err(Failure::Usage(format!("{name:?}: {error}; give one with --name"))),
        }
    }

    /// A refusal for the source's sake is shown as `check` shows it.
    fn refused(&self, error: ClientError) -> Failure {
        let ClientError::Refused(refusal) = &error else { return error.into() };
        let findings = findings(refusal);
        if findings.is_empty() {
            return error.into();
        }
        findings.iter().for_each(|finding| say(&self.shown("error", finding)));
        Failure::Ended(refusal.detail.clone())
    }

    fn shown(&self, severity: &str, finding: &Value) -> String {
        let file = self.file.display();
        let (line, column) = (number(finding, "line"), number(finding, "column"));
        let message = text(finding, "message");
        let excerpt = text(finding, "excerpt").trim_end();
        let mut shown = format!("{file}:{line}:{column}: {severity}: {message}\n{excerpt}");
        match text(finding, "suggestion") {
            "" => {}
            suggestion => shown.push_str(&format!("\n  help: {suggestion}")),
        }
        shown
    }
}

fn findings(refusal: &Refusal) -> Vec<Value> {
    let document = refusal.document.as_ref().and_then(Value::as_map);
    let errors = document.and_then(|map| map.get("errors")).and_then(Value::as_list);
    let is_placed = |error: &&Value| error.as_map().is_some_and(|map| map.get("line").is_some());
    errors.unwrap_or_default().iter().filter(is_placed).cloned().collect()
}

fn pairs(flag: &str, given: &[String]) -> Result<Option<Value>, Failure> {
    if given.is_empty() {
        return Ok(None);
    }
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) => Ok((key.to_owned(), Value::from(value))),
        None => Err(Failure::Usage(format!("{flag} {text:?}: expected KEY=VALUE"))),
    };
    let map: Map = given.iter().map(pair).collect::<Result<Vec<_>, _>>()?.into_iter().collect();
    Ok(Some(map.into()))
}
