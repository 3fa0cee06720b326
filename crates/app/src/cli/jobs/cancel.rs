//! `jobmill jobs cancel`: stops jobs.

use clap::Args;

use super::super::Failure;
use super::super::screen::Screen;
use super::filter::Which;
use crate::client::{Client, Request};

/// Stops jobs, waiting or running
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill jobs cancel 0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42
  jobmill jobs cancel --status submitted --queue mail --dry-run")]
pub(crate) struct Cancel {
    #[command(flatten)]
    which: Which,
}

impl Cancel {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        self.which.check()?;
        if self.which.ids.is_empty() {
            let request = |query| Request::post(format!("/jobs/cancel{query}"));
            return self.which.all(client, screen, request, "CANCELLED").await;
        }
        super::each(client, screen, &self.which.ids, "cancel").await
    }
}
