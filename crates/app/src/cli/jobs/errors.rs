//! `jobmill jobs errors`: every failed attempt of a job.

use clap::Args;
use jobmill_model::Value;

use super::super::Failure;
use super::super::screen::{Screen, line};
use super::super::session::{items, number, text};
use super::super::table::Table;
use crate::client::{Client, Query, Request};

/// Shows every failed attempt of a job
#[derive(Debug, Args)]
pub(crate) struct Errors {
    /// The job's id
    id: String,
    /// Only errors of this type, such as Timeout
    #[arg(long = "type", value_name = "TYPE")]
    of: Option<String>,
    /// Shows where each happened
    #[arg(long)]
    trace: bool,
}

impl Errors {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let query = Query::default().with_some("type", self.of);
        let request = Request::get(super::route(&self.id, &format!("/errors{query}")));
        let errors = client.ask(&request).await?;
        let mut table = Table::new(&["RUN", "TRY", "FAILED", "TYPE", "MESSAGE"]);
        for error in items(&errors) {
            table.row([
                number(error, "run"),
                number(error, "attempt"),
                text(error, "failed_at").to_owned(),
                text(error, "type").to_owned(),
                text(error, "message").to_owned(),
            ]);
        }
        screen.table(&table, &errors)?;
        if self.trace && !screen.is_json() {
            items(&errors).iter().try_for_each(show_trace)?;
        }
        Ok(())
    }
}

fn show_trace(error: &Value) -> std::io::Result<()> {
    line(&format!("\nrun {}, try {}:", number(error, "run"), number(error, "attempt")))?;
    text(error, "trace").lines().try_for_each(|frame| line(&format!("  {frame}")))
}
