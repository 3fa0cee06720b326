//! `jobmill schedules put`: stores a schedule.

use clap::Args;
use jobmill_model::Value;

use super::super::screen::Screen;
use super::super::session::object;
use super::super::{Failure, input};
use crate::client::{Client, Request};

/// Stores a schedule, in the place of one of the same name if there is one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill schedules put nightly --cron '30 3 * * *' --time-zone Europe/Berlin \\
      range_report --input '{\"start\":1,\"end\":9}'
  jobmill schedules put often --cron '*/10 * * * * *' --overlap skip range_report --input @in.json
  jobmill schedules put nightly --file nightly.json      # the body of PUT /schedules/nightly

CRON has five fields (minute, hour, day of the month, month, day of the week), six with the second
first, or is one of @hourly, @daily, @weekly, @monthly, @yearly.")]
pub(super) struct Put {
    /// The name of the schedule
    name: String,
    /// The flow to run; `jobmill flows list` shows them
    #[arg(required_unless_present = "file")]
    flow: Option<String>,
    /// When it ticks
    #[arg(long, value_name = "CRON", required_unless_present = "file")]
    cron: Option<String>,
    /// The zone whose clocks the expression is read on, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Ticks that came while no server ran: skip, once or all [default: once]
    #[arg(long, value_name = "RULE")]
    missed: Option<String>,
    /// How many missed ticks `all` makes up for [default: 100]
    #[arg(long, value_name = "N")]
    missed_limit: Option<i64>,
    /// Ticks while the job before is unfinished: allow, skip or queue [default: allow]
    #[arg(long, value_name = "RULE")]
    overlap: Option<String>,
    /// Times in the hour that the clocks skip: fire (once, at the change) or skip [default: fire]
    #[arg(long, value_name = "RULE")]
    clock_change: Option<String>,
    /// Stores it at rest
    #[arg(long)]
    paused: bool,
    /// What the flow works on: JSON, @FILE, or - for standard input
    #[arg(long, short, value_name = "JSON")]
    input: Option<String>,
    /// How it works: a JSON object, @FILE, or -
    #[arg(long, short, value_name = "JSON")]
    params: Option<String>,
    /// The queue that its jobs wait in
    #[arg(long, short)]
    queue: Option<String>,
    /// A name to find its jobs by; may be given several times
    #[arg(long = "tag", short, value_name = "TAG")]
    tags: Vec<String>,
    /// Reads the whole schedule from a file of JSON; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "flow", "cron", "time_zone", "missed", "missed_limit", "overlap", "clock_change", "paused",
        "input", "params", "queue", "tags",
    ])]
    file: Option<String>,
}

impl Put {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let body = match self.file.as_deref() {
            Some("-") => input::value("the schedule", "-")?,
            Some(file) => input::value("the schedule", &format!("@{file}"))?,
            None => self.body()?,
        };
        let request = Request::put(super::route(&self.name, "")).json(&body);
        Ok(screen.value(&client.ask(&request).await?)?)
    }

    fn body(&self) -> Result<Value, Failure> {
        let value = |what, argument: &Option<String>| {
            argument.as_ref().map(|argument| input::value(what, argument)).transpose()
        };
        let given = |text: &Option<String>| text.as_deref().map(Value::from);
        let tags = self.tags.iter().map(|tag| Value::from(tag.as_str()));
        let job = object([
            ("flow", given(&self.flow)),
            ("input", value("the input", &self.input)?),
            ("params", value("the params", &self.params)?),
            ("queue", given(&self.queue)),
            ("tags", (!self.tags.is_empty()).then(|| Value::list(tags))),
        ]);
        Ok(object([
            ("cron", given(&self.cron)),
            ("time_zone", given(&self.time_zone)),
            ("missed", given(&self.missed)),
            ("missed_limit", self.missed_limit.map(Value::from)),
            ("overlap", given(&self.overlap)),
            ("clock_change", given(&self.clock_change)),
            ("paused", self.paused.then_some(Value::Bool(true))),
            ("job", Some(job)),
        ]))
    }
}
