//! Posts jobs to a server and looks after them.

mod cancel;
mod delete;
mod errors;
mod explain;
mod filter;
mod list;
mod results;
mod retry;
mod show;
mod submit;
mod wait;
mod watch;

pub(super) use results::show as show_result;
pub(super) use wait::{until_ended, watch};

use clap::{Args, Subcommand};
use jobmill_model::Value;

use super::screen::{Screen, say};
use super::session::{self, number, text};
use super::table::Table;
use super::{Context, Failure};
use crate::client::{Client, ClientError, Request};
use crate::config::{Calling, Flags};

/// Posts jobs to a server and looks after them
#[derive(Debug, Args)]
pub(crate) struct Jobs {
    #[command(flatten)]
    flags: Flags<Calling>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Submit(submit::Submit),
    List(list::List),
    Show(show::Show),
    Wait(wait::Wait),
    Results(results::Results),
    Errors(errors::Errors),
    Watch(watch::Watch),
    Explain(explain::Explain),
    Cancel(cancel::Cancel),
    Retry(retry::Retry),
    Delete(delete::Delete),
}

impl Jobs {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let client = session::client(context, &self.flags)?;
        session::block_on(self.verb.run(&client, context.screen))
    }
}

impl Verb {
    async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        match self {
            Self::Submit(submit) => submit.run(client, screen).await,
            Self::List(list) => list.run(client, screen).await,
            Self::Show(show) => show.run(client, screen).await,
            Self::Wait(wait) => wait.run(client, screen).await,
            Self::Results(results) => results.run(client, screen).await,
            Self::Errors(errors) => errors.run(client, screen).await,
            Self::Watch(watch) => watch.run(client, screen).await,
            Self::Explain(explain) => explain.run(client, screen).await,
            Self::Cancel(cancel) => cancel.run(client, screen).await,
            Self::Retry(retry) => retry.run(client, screen).await,
            Self::Delete(delete) => delete.run(client, screen).await,
        }
    }
}

/// The path of a job. An id never needs escaping; what does is not one, and the server says so.
fn route(id: &str, rest: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let id: String = id.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    format!("/jobs/{id}{rest}")
}

/// Jobs as rows.
fn job_table(jobs: &[Value]) -> Table {
    let mut table = Table::new(&["ID", "STATUS", "FLOW", "QUEUE", "TRY", "CREATED", "NOTE"]);
    for job in jobs {
        let tries = format!("{}/{}", number(job, "attempt"), number(job, "max_attempts"));
        table.row([
            text(job, "id").to_owned(),
            text(job, "status").to_owned(),
            text(job, "flow").to_owned(),
            text(job, "queue").to_owned(),
            tries,
            text(job, "created_at").to_owned(),
            note(job),
        ]);
    }
    table
}

/// What is worth knowing of a job besides its status: its error, or how far it has come.
pub(super) fn note(job: &Value) -> String {
    if let Some(error) = session::field(job, "error").filter(|error| error.as_map().is_some()) {
        return error_text(error);
    }
    match (text(job, "status"), session::field(job, "progress")) {
        ("running", Some(progress)) => progress_text(progress),
        _ => String::new(),
    }
}

fn progress_text(progress: &Value) -> String {
    match number(progress, "total").as_str() {
        "" | "0" => text(progress, "message").to_owned(),
        total => format!("{} of {total}", number(progress, "done")),
    }
}

fn error_text(error: &Value) -> String {
    format!("{}: {}", text(error, "type"), text(error, "message"))
}

/// How a job ended: well, or with a failure that says how.
fn verdict(job: &Value) -> Result<(), Failure> {
    let id = text(job, "id");
    match text(job, "status") {
        "completed" => Ok(()),
        "failed" => Err(Failure::Ended(format!("job {id} failed: {}", note(job)))),
        "cancelled" => Err(Failure::Ended(format!("job {id} was cancelled"))),
        status => Err(Failure::Unfinished(format!("job {id} is not finished: it is {status}"))),
    }
}

/// Asks for the same thing for each job and shows what they look like then. A refusal of one
/// does not keep the others from being asked for.
async fn each(client: &Client, screen: Screen, ids: &[String], verb: &str) -> Result<(), Failure> {
    let (mut jobs, mut refused) = (Vec::new(), 0);
    for id in ids {
        match client.ask(&Request::post(route(id, &format!("/{verb}")))).await {
            Ok(job) => jobs.push(job),
            Err(error @ ClientError::Refused(_)) => {
                say(&format!("{id}: {error}"));
                refused += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    screen.table(&job_table(&jobs), &Value::from(jobs))?;
    match refused {
        0 => Ok(()),
        _ => Err(Failure::Ended(format!("{refused} of {} jobs were refused", ids.len()))),
    }
}
