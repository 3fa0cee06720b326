//! `jobmill jobs show`: one job as it stands.

use clap::Args;

use super::super::Failure;
use super::super::screen::Screen;
use crate::client::{Client, Request};

/// Shows a job as it stands
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The job's id
    id: String,
}

impl Show {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let job = client.ask(&Request::get(super::route(&self.id, ""))).await?;
        Ok(screen.value(&job)?)
    }
}
