//! `jobmill jobs cancel`: stops jobs.

use clap::Args;

use super::super::Failure;
use super::super::screen::Screen;
use crate::client::Client;

/// Stops jobs, waiting or running
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The ids of the jobs
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

impl Cancel {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        super::each(client, screen, &self.ids, "cancel").await
    }
}
