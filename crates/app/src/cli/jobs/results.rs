//! `jobmill jobs results`: what came of a job.

use std::io::Write;

use clap::Args;
use jobmill_model::{Span, Value};

use super::super::Failure;
use super::super::screen::Screen;
use super::super::session::{field, text};
use super::{route, verdict, wait};
use crate::client::{Client, Request};

/// Prints the result of a completed job
#[derive(Debug, Args)]
#[command(after_help = "\
Without --json the result itself is printed; with it the whole answer, as it arrives, so that a
result of any size passes through.

Exit codes: 0 completed, 1 failed or cancelled, 4 not finished.")]
pub(crate) struct Results {
    /// The job's id
    id: String,
    /// Waits so long for the job to end, such as 30s
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    wait: Span,
}

impl Results {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let job = wait::until_ended(client, screen, &self.id, Some(self.wait)).await?;
        show(client, screen, &job).await
    }
}

/// Shows the result of a job that has ended, or says how it ended.
pub(in super::super) async fn show(
    client: &Client,
    screen: Screen,
    job: &Value,
) -> Result<(), Failure> {
    let verdict = verdict(job);
    if !screen.is_json() && verdict.is_err() {
        return verdict;
    }
    if matches!(verdict, Err(Failure::Unfinished(_))) {
        return verdict;
    }
    let request = Request::get(route(text(job, "id"), "/results"));
    let mut answer = client.send(&request).await?.accepted().await?;
    if !screen.is_json() {
        let answer = answer.value().await?;
        screen.value(field(&answer, "result").unwrap_or(&Value::Null))?;
        return verdict;
    }
    let mut out = std::io::stdout().lock();
    while let Some(piece) = answer.piece().await? {
        out.write_all(&piece)?;
    }
    out.write_all(b"\n")?;
    out.flush()?;
    verdict
}
