//! `jobmill jobs retry`: opens a new run of jobs that ended badly.

use clap::Args;

use super::super::Failure;
use super::super::screen::Screen;
use super::filter::Which;
use crate::client::{Client, Request};

/// Runs failed or cancelled jobs again, from their beginning
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill jobs retry 0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42
  jobmill jobs retry --status failed --since 2026-01-01T00:00:00Z")]
pub(crate) struct Retry {
    #[command(flatten)]
    which: Which,
}

impl Retry {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        self.which.check()?;
        if self.which.ids.is_empty() {
            let request = |query| Request::post(format!("/jobs/retry{query}"));
            return self.which.all(client, screen, request, "RUN AGAIN").await;
        }
        super::each(client, screen, &self.which.ids, "retry").await
    }
}
