//! `jobmill queues`: what waits, and the switches of an operator.

use clap::{Args, Subcommand};
use jobmill_model::Value;

use super::screen::Screen;
use super::session::{self, field, items, number, object, text};
use super::table::Table;
use super::{Context, Failure};
use crate::client::{Client, Query, Request};
use crate::config::{Calling, Flags};

/// Shows the queues of a server, limits, pauses and resumes them
#[derive(Debug, Args)]
pub(crate) struct Queues {
    #[command(flatten)]
    flags: Flags<Calling>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Lists the queues that have rules, or jobs waiting or at work
    List,
    /// Shows a queue
    Show {
        /// The name of the queue
        queue: String,
    },
    Set(Set),
    /// Starts no more jobs of a queue; those at work go on, new ones are accepted
    Pause {
        /// The name of the queue
        queue: String,
    },
    /// Lets a paused queue go on
    Resume {
        /// The name of the queue
        queue: String,
    },
}

/// Sets the rules of a queue: what is not given is as usual again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill queues set mail --concurrency 8 --rate 10/1s
  jobmill queues set default --key-limit 2
  jobmill queues set mail                        # no limits any more")]
struct Set {
    /// The name of the queue
    queue: String,
    /// The most of its jobs that may be at work at once
    #[arg(long, value_name = "N")]
    concurrency: Option<i64>,
    /// How many of its jobs may be started in a time, such as 10/1s or 500/1h
    #[arg(long, value_name = "N/DURATION")]
    rate: Option<String>,
    /// The most jobs of one key that may be at work at once, usually 1
    #[arg(long, value_name = "N")]
    key_limit: Option<i64>,
}

impl Queues {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let client = session::client(context, &self.flags)?;
        session::block_on(self.verb.run(&client, context.screen))
    }
}

impl Verb {
    async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let request = match self {
            Self::List => return list(client, screen).await,
            Self::Show { queue } => Request::get(route(&queue, "")),
            Self::Set(set) => Request::put(route(&set.queue, "")).json(&set.body()?),
            Self::Pause { queue } => Request::post(route(&queue, "/pause")),
            Self::Resume { queue } => Request::post(route(&queue, "/resume")),
        };
        let queue = client.ask(&request).await?;
        Ok(screen.table(&table(std::slice::from_ref(&queue)), &queue)?)
    }
}

impl Set {
    fn body(&self) -> Result<Value, Failure> {
        let rate = self.rate.as_deref().map(rate).transpose()?;
        Ok(object([
            ("concurrency", self.concurrency.map(Value::from)),
            ("rate", rate),
            ("key_limit", self.key_limit.map(Value::from)),
        ]))
    }
}

/// Reads `10/1s`; what the server has to check it checks.
fn rate(text: &str) -> Result<Value, Failure> {
    let parts = text.split_once('/').and_then(|(count, per)| {
        let count: i64 = count.trim().parse().ok()?;
        Some(Value::map([("count", Value::from(count)), ("per", Value::from(per.trim()))]))
    });
    let usage = || Failure::Usage(format!("not a rate: {text:?}; expected text such as 10/1s"));
    parts.ok_or_else(usage)
}

fn route(queue: &str, rest: &str) -> String {
    format!("/queues/{}{rest}", session::escaped(queue))
}

async fn list(client: &Client, screen: Screen) -> Result<(), Failure> {
    let (mut queues, mut query) = (Vec::new(), Query::default().with("limit", 1_000));
    loop {
        let page = client.ask(&Request::get(format!("/queues{query}"))).await?;
        queues.extend(items(&page).iter().cloned());
        match text(&page, "next") {
            "" => break,
            next => query = Query::default().with("limit", 1_000).with("cursor", next),
        }
    }
    let whole = Value::map([("items", Value::list(queues.iter().cloned())), ("next", Value::Null)]);
    Ok(screen.table(&table(&queues), &whole)?)
}

fn table(queues: &[Value]) -> Table {
    let head = ["NAME", "STATE", "WAITING", "HELD", "RUNNING", "LIMIT", "RATE", "PER KEY"];
    let mut table = Table::new(&head);
    for queue in queues {
        let paused = field(queue, "paused") == Some(&Value::Bool(true));
        let rate = field(queue, "rate").filter(|rate| rate.as_map().is_some());
        let rate = rate.map(|rate| format!("{}/{}", number(rate, "count"), text(rate, "per")));
        table.row([
            text(queue, "name").to_owned(),
            if paused { "paused" } else { "open" }.to_owned(),
            number(queue, "waiting"),
            number(queue, "held"),
            number(queue, "running"),
            number(queue, "concurrency"),
            rate.unwrap_or_default(),
            number(queue, "key_limit"),
        ]);
    }
    table
}
