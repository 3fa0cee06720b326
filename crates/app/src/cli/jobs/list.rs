//! `jobmill jobs list`: jobs, newest first.

use clap::Args;

use super::super::Failure;
use super::super::screen::{Screen, say};
use super::super::session::{items, text};
use crate::client::{Client, Query, Request};

/// Lists jobs, newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill jobs list --status failed --flow expand_reduce_flow
  jobmill jobs list --tag night --since 2026-01-01T00:00:00Z --json")]
pub(crate) struct List {
    /// Only with one of these states: scheduled, submitted, running, completed, failed, cancelled
    #[arg(long, value_name = "STATUS,…")]
    status: Option<String>,
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// Only of this queue
    #[arg(long)]
    queue: Option<String>,
    /// Only with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only the children of this job
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Only submitted at this time or later, in RFC 3339
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only submitted before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many at most, up to 1000
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// Where to go on: what the page before names as `next`
    #[arg(long)]
    cursor: Option<String>,
}

impl List {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let query = Query::default()
            .with_some("status", self.status)
            .with_some("flow", self.flow)
            .with_some("queue", self.queue)
            .with_some("tag", self.tag)
            .with_some("parent", self.parent)
            .with_some("since", self.since)
            .with_some("until", self.until)
            .with("limit", self.limit)
            .with_some("cursor", self.cursor);
        let page = client.ask(&Request::get(format!("/jobs{query}"))).await?;
        screen.table(&super::job_table(items(&page)), &page)?;
        let next = text(&page, "next");
        if !screen.is_json() && !next.is_empty() {
            say(&format!("there are more: --cursor {next}"));
        }
        Ok(())
    }
}
