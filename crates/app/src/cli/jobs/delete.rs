//! `jobmill jobs delete`: deletes jobs that have ended.

use clap::Args;

use super::super::Failure;
use super::super::screen::{Screen, say};
use super::filter::Which;
use super::route;
use crate::client::{Client, ClientError, Request};

/// Deletes jobs that have ended, with their results
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill jobs delete 0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42
  jobmill jobs delete --status completed --until 2026-01-01T00:00:00Z --dry-run")]
pub(crate) struct Delete {
    #[command(flatten)]
    which: Which,
}

impl Delete {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        self.which.check()?;
        if self.which.ids.is_empty() {
            let request = |query| Request::delete(format!("/jobs{query}"));
            return self.which.all(client, screen, request, "DELETED").await;
        }
        delete_each(client, &self.which.ids).await
    }
}

/// A refusal of one does not keep the others from being deleted.
async fn delete_each(client: &Client, ids: &[String]) -> Result<(), Failure> {
    let mut refused = 0;
    for id in ids {
        let answer = client.send(&Request::delete(route(id, ""))).await?.accepted().await;
        match answer {
            Ok(answer) => drop(answer.bytes().await?),
            Err(error @ ClientError::Refused(_)) => {
                say(&format!("{id}: {error}"));
                refused += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    match refused {
        0 => Ok(()),
        _ => Err(Failure::Ended(format!("{refused} of {} jobs were refused", ids.len()))),
    }
}
