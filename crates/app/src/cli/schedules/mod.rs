//! `jobmill schedules`: jobs that are submitted again and again.

mod put;

use clap::{Args, Subcommand};
use jobmill_model::Value;

use super::screen::{Screen, line, say};
use super::session::{self, field, items, text};
use super::table::Table;
use super::{Context, Failure};
use crate::client::{Client, Query, Request};
use crate::config::{Calling, Flags};

/// Shows and changes the schedules of a server
#[derive(Debug, Args)]
pub(crate) struct Schedules {
    #[command(flatten)]
    flags: Flags<Calling>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
    /// Shows a schedule with its next ticks
    Show {
        /// The name of the schedule
        name: String,
    },
    Put(Box<put::Put>),
    /// Removes a schedule; its jobs stay
    Delete {
        /// The name of the schedule
        name: String,
    },
    /// Lays a schedule to rest: its ticks do not count
    Pause {
        /// The name of the schedule
        name: String,
    },
    /// Wakes a schedule: its ticks count from now on
    Resume {
        /// The name of the schedule
        name: String,
    },
    /// Submits the job of a schedule now; prints its id
    Trigger {
        /// The name of the schedule
        name: String,
    },
}

/// Lists schedules by name
#[derive(Debug, Args)]
struct List {
    /// How many at most, up to 1000
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
    /// Where to go on: what the page before names as `next`
    #[arg(long)]
    cursor: Option<String>,
}

impl Schedules {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let client = session::client(context, &self.flags)?;
        session::block_on(self.verb.run(&client, context.screen))
    }
}

impl Verb {
    async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let request = match self {
            Self::List(list) => return list.run(client, screen).await,
            Self::Put(put) => return put.run(client, screen).await,
            Self::Trigger { name } => {
                let job = client.ask(&Request::post(route(&name, "/trigger"))).await?;
                return match screen.is_json() {
                    true => Ok(screen.value(&job)?),
                    false => Ok(line(text(&job, "id"))?),
                };
            }
            Self::Show { name } => Request::get(route(&name, "")),
            Self::Delete { name } => Request::delete(route(&name, "")),
            Self::Pause { name } => Request::post(route(&name, "/pause")),
            Self::Resume { name } => Request::post(route(&name, "/resume")),
        };
        Ok(screen.value(&client.ask(&request).await?)?)
    }
}

impl List {
    async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let query =
            Query::default().with("limit", self.limit).with_some("cursor", self.cursor.as_ref());
        let page = client.ask(&Request::get(format!("/schedules{query}"))).await?;
        let mut table = Table::new(&["NAME", "CRON", "ZONE", "NEXT", "FLOW", "NOTE"]);
        for schedule in items(&page) {
            let flow = field(schedule, "job").map(|job| text(job, "flow")).unwrap_or_default();
            let row = [
                text(schedule, "name"),
                text(schedule, "cron"),
                text(schedule, "time_zone"),
                text(schedule, "next_at"),
                flow,
            ];
            table.row(row.map(str::to_owned).into_iter().chain([note(schedule)]));
        }
        screen.table(&table, &page)?;
        let next = text(&page, "next");
        if !screen.is_json() && !next.is_empty() {
            say(&format!("there are more: --cursor {next}"));
        }
        Ok(())
    }
}

/// What is special about a schedule.
fn note(schedule: &Value) -> String {
    if field(schedule, "paused") == Some(&Value::Bool(true)) {
        return "paused".to_owned();
    }
    let error = field(schedule, "error").map(|error| text(error, "message")).unwrap_or_default();
    error.to_owned()
}

/// The path of a schedule.
fn route(name: &str, rest: &str) -> String {
    format!("/schedules/{}{rest}", session::escaped(name))
}
