//! `jobmill jobs explain`: why a job is not running, or not done.

use clap::Args;

use super::super::Failure;
use super::super::screen::{Screen, line};
use super::super::session::text;
use crate::client::{Client, Request};

/// Says why a job is not running, or not done
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The job's id
    id: String,
}

impl Explain {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let answer = client.ask(&Request::get(super::route(&self.id, "/explain"))).await?;
        match screen.is_json() {
            true => Ok(screen.value(&answer)?),
            false => {
                let (id, why) = (text(&answer, "id"), text(&answer, "explanation"));
                Ok(line(&format!("job {id}: {why}"))?)
            }
        }
    }
}
