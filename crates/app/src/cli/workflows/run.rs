//! `jobmill workflows run`: a file right here, or a workflow on a server.

use std::path::Path;

use clap::Args;
use jobmill_model::Value;

use super::super::jobs::{show_result, until_ended};
use super::super::screen::Screen;
use super::super::session::{object, text};
use super::super::{Failure, input};
use super::route;
use crate::client::{Client, Request};

/// Runs a workflow: a file right here without a server, or a deployed one
#[derive(Debug, Args)]
#[command(after_help = "\
A file is run in this process: its calls are made, its sleeps are slept, its steps and its log are
shown on standard error, and nothing is stored; connectors go where the settings of `serve` say. A name is run on the server, and its result is waited for;
when this command is stopped, it goes on there, and `workflows watch` takes up the waiting.

Examples:
  jobmill workflows run order.yaml --data '{\"id\": 7}'
  jobmill workflows run orders --data @order.json --json     # {\"id\":…,\"status\":…,\"result\":…}

Exit codes: 0 it ended well, 1 it failed, 2 the file or the data is wrong.")]
pub(crate) struct Run {
    /// A file (by its path or its ending .yaml, .yml or .json), or the name of a workflow
    #[arg(value_name = "FILE|NAME")]
    pub(super) what: String,
    /// The argument: JSON, @FILE, or - for standard input
    #[arg(long, short, value_name = "JSON")]
    data: Option<String>,
    /// Holds a file to Google's limits
    #[arg(long)]
    pub(super) gcp_limits: bool,
    /// The id of an older revision of a deployed workflow
    #[arg(long, value_name = "ID")]
    revision: Option<String>,
}

impl Run {
    /// Whether a file is meant.
    pub(super) fn is_file(&self) -> bool {
        let is_source = [".yaml", ".yml", ".json"].iter().any(|end| self.what.ends_with(end));
        is_source || self.what.contains('/') || Path::new(&self.what).is_file()
    }

    pub(super) fn argument(&self) -> Result<Value, Failure> {
        let read = self.data.as_deref().map(|data| input::value("the data", data));
        Ok(read.transpose()?.unwrap_or_default())
    }

    pub(super) async fn on_server(&self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let body = object([
            ("argument", Some(self.argument()?)),
            ("revision", self.revision.as_deref().map(Value::from)),
        ]);
        let request = Request::post(route(&self.what, "/executions")).json(&body);
        let job = client.ask(&request).await?;
        let ended = until_ended(client, screen, text(&job, "id"), None).await?;
        show_result(client, screen, &ended).await
    }
}
