//! `jobmill jobs retry`: opens a new run of jobs that ended badly.

use clap::Args;

use super::super::Failure;
use super::super::screen::Screen;
use crate::client::Client;

/// Runs failed or cancelled jobs again, from their beginning
#[derive(Debug, Args)]
pub(crate) struct Retry {
    /// The ids of the jobs
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

impl Retry {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        super::each(client, screen, &self.ids, "retry").await
    }
}
