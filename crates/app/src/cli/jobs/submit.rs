//! `jobmill jobs submit`: posts a job, or a file of jobs.

use clap::Args;
use jobmill_model::Value;

use super::super::screen::{Screen, line, say};
use super::super::session::{items, object, text};
use super::super::{Failure, input};
use super::{results, wait};
use crate::client::{Client, Request};

/// Posts a job; prints its id, or its result with --wait
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill jobs submit expand_reduce_flow --input '{\"1\":\"2\",\"3\":\"4\"}' --wait
  jobmill jobs submit expand_reduce_flow --input @big.json --params '{\"merge\":\"zip\"}'
  echo '{\"start\":1,\"end\":9}' | jobmill jobs submit range_report --input - --delay 30s
  jobmill jobs submit --bulk jobs.ndjson

A line of jobs.ndjson is the body of one submission:
  {\"flow\":\"expand_reduce_flow\",\"input\":{\"a\":1,\"b\":2},\"tags\":[\"night\"]}")]
pub(crate) struct Submit {
    /// The flow to run; `jobmill flows list` shows them
    #[arg(required_unless_present = "bulk")]
    flow: Option<String>,
    /// What it works on: JSON, @FILE, or - for standard input
    #[arg(long, short, value_name = "JSON")]
    input: Option<String>,
    /// How it works: a JSON object, @FILE, or -
    #[arg(long, short, value_name = "JSON")]
    params: Option<String>,
    /// The queue to wait in
    #[arg(long, short)]
    queue: Option<String>,
    /// Whose work it is, such as a tenant's: jobs of one key in a queue go one after the other
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// How much it is preferred within its queue, from -1000 to 1000
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i64>,
    /// How long to wait before the first try, such as 30s or 1h30m
    #[arg(long, value_name = "DURATION")]
    delay: Option<String>,
    /// When the first try may begin, in RFC 3339
    #[arg(long, value_name = "TIME", conflicts_with = "delay")]
    run_at: Option<String>,
    /// A name to find it by; may be given several times
    #[arg(long = "tag", short, value_name = "TAG")]
    tags: Vec<String>,
    /// How many tries of the flow there may be
    #[arg(long, value_name = "N")]
    max_attempts: Option<i64>,
    /// How long to wait between tries, the same every time; without it 1s, 2s, 4s … up to 5m
    #[arg(long, value_name = "DURATION")]
    backoff: Option<String>,
    /// The time limit of one try, such as 5m
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// Is not stored beside an unfinished job of the flow with this key or, without a key, with the
    /// same input and params: that job is the answer then
    #[arg(long, value_name = "KEY", num_args = 0..=1, require_equals = true,
        default_missing_value = "")]
    unique: Option<String>,
    /// An unfinished job that this one belongs to: it is cancelled with it
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    /// Who is told when the job has ended: a URL that gets a signed POST
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// A name for this submission: with the same name it is accepted once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Waits for the job to end and prints its result
    #[arg(long, short)]
    wait: bool,
    /// Posts every line of a file as a job, all or none; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "flow", "input", "params", "queue", "key", "priority", "delay", "run_at", "tags",
        "max_attempts", "backoff", "timeout", "unique", "parent", "webhook", "wait",
    ])]
    bulk: Option<String>,
}

impl Submit {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        match &self.bulk {
            Some(file) => self.bulk(client, screen, file).await,
            None => self.one(client, screen).await,
        }
    }

    async fn one(&self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let key = self.idempotency_key.clone();
        let request = Request::post("/jobs").json(&self.body()?).idempotency_key(key);
        let job = client.ask(&request).await?;
        warn(&job);
        let id = text(&job, "id");
        if !self.wait {
            return match screen.is_json() {
                true => Ok(screen.value(&job)?),
                false => Ok(line(id)?),
            };
        }
        let ended = wait::until_ended(client, screen, id, None).await?;
        results::show(client, screen, &ended).await
    }

    fn body(&self) -> Result<Value, Failure> {
        let value = |what, argument: &Option<String>| {
            argument.as_ref().map(|argument| input::value(what, argument)).transpose()
        };
        if self.input.as_deref() == Some("-") && self.params.as_deref() == Some("-") {
            let text = "standard input can be the input or the params, not both";
            return Err(Failure::Usage(text.to_owned()));
        }
        let tags = self.tags.iter().map(|tag| Value::from(tag.as_str()));
        let given = |text: &Option<String>| text.as_deref().map(Value::from);
        Ok(object([
            ("flow", given(&self.flow)),
            ("input", value("the input", &self.input)?),
            ("params", value("the params", &self.params)?),
            ("queue", given(&self.queue)),
            ("key", given(&self.key)),
            ("priority", self.priority.map(Value::from)),
            ("delay", given(&self.delay)),
            ("run_at", given(&self.run_at)),
            ("backoff", given(&self.backoff)),
            ("max_attempts", self.max_attempts.map(Value::from)),
            ("timeout", given(&self.timeout)),
            ("unique", self.unique()),
            ("tags", (!self.tags.is_empty()).then(|| Value::list(tags))),
            ("parent", given(&self.parent)),
            ("webhook", given(&self.webhook)),
        ]))
    }

    fn unique(&self) -> Option<Value> {
        let key = self.unique.as_deref()?;
        Some(if key.is_empty() { true.into() } else { key.into() })
    }

    async fn bulk(&self, client: &Client, screen: Screen, file: &str) -> Result<(), Failure> {
        let argument = if file == "-" { file.to_owned() } else { format!("@{file}") };
        let body = input::read("the file of jobs", &argument)?;
        let request = Request::post("/jobs/bulk")
            .body("application/x-ndjson", body)
            .idempotency_key(self.idempotency_key.clone());
        let answer = client.ask(&request).await?;
        if screen.is_json() {
            return Ok(screen.value(&answer)?);
        }
        items(&answer).iter().try_for_each(|job| line(text(job, "id")))?;
        say(&format!("{} jobs are accepted", items(&answer).len()));
        Ok(())
    }
}

/// Tells what was odd about the submission.
fn warn(job: &Value) {
    let warnings = job.as_map().and_then(|map| map.get("warnings")).and_then(Value::as_list);
    for warning in warnings.unwrap_or_default().iter().filter_map(Value::as_str) {
        say(&format!("warning: {warning}"));
    }
}
