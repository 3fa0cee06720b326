//! `jobmill jobs watch`: what happens to jobs, as it happens.

use clap::Args;
use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::{Span, Value};

use super::super::Failure;
use super::super::screen::{Screen, line, say};
use super::super::session::text;
use super::{note, route, verdict};
use crate::client::{Answer, Client, ClientError, Query, Request};

/// Follows one job until it has ended, or all that match, as they change
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill jobs watch 0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42
  jobmill jobs watch --flow expand_reduce_flow --json

With an ID it ends when the job has ended, and the exit code says how: 0 completed, 1 failed or
cancelled. Without one it goes on until Ctrl-C. After a broken connection it goes on from the last
event that it has seen.")]
pub(crate) struct Watch {
    /// The job's id
    id: Option<String>,
    /// Only jobs that are in one of these states then
    #[arg(long, value_name = "STATUS,…", conflicts_with = "id")]
    status: Option<String>,
    /// Only jobs of this flow
    #[arg(long, conflicts_with = "id")]
    flow: Option<String>,
    /// Only jobs of this queue
    #[arg(long, conflicts_with = "id")]
    queue: Option<String>,
    /// Only jobs with this tag
    #[arg(long, conflicts_with = "id")]
    tag: Option<String>,
}

/// Between two attempts to connect again, and how many of them may fail in a row.
const PAUSE: Span = Span::from_secs(1);
const TRIES: u32 = 30;

impl Watch {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let clock = SystemClock::default();
        let mut follower = Follower { screen, last_id: None, last_job: None };
        let mut failed = 0;
        loop {
            let request = Request::get(self.path()).last_event_id(follower.last_id.clone());
            match client.send(&request).await {
                Ok(answer) => match follower.read(answer.accepted().await?).await {
                    Ok(Some(job)) => return verdict(&job),
                    Ok(None) | Err(Failure::Client(ClientError::Broken(..))) => failed = 0,
                    Err(failure) => return Err(failure),
                },
                Err(error) if follower.last_id.is_none() || failed == TRIES => {
                    return Err(error.into());
                }
                Err(_) => failed += 1,
            }
            if failed == 0 && !screen.is_json() {
                say("the stream ended; connecting again");
            }
            clock.pause(PAUSE).await;
        }
    }

    fn path(&self) -> String {
        match &self.id {
            Some(id) => route(id, "/events"),
            None => {
                let query = Query::default()
                    .with_some("status", self.status.as_deref())
                    .with_some("flow", self.flow.as_deref())
                    .with_some("queue", self.queue.as_deref())
                    .with_some("tag", self.tag.as_deref());
                format!("/events{query}")
            }
        }
    }
}

/// What is remembered from one connection to the next.
struct Follower {
    screen: Screen,
    last_id: Option<String>,
    last_job: Option<Value>,
}

impl Follower {
    /// Shows events until the stream ends; answers the job if it has ended.
    async fn read(&mut self, mut answer: Answer) -> Result<Option<Value>, Failure> {
        let mut text = Vec::new();
        while let Some(piece) = answer.piece().await? {
            text.extend_from_slice(&piece);
            while let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
                let event: Vec<u8> = text.drain(..end + 2).collect();
                if let Some(job) = self.take(&String::from_utf8_lossy(&event))? {
                    return Ok(Some(job));
                }
            }
        }
        Ok(None)
    }

    fn take(&mut self, event: &str) -> Result<Option<Value>, Failure> {
        let field =
            |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let data = field("data").and_then(|data| Value::from_json(data.as_bytes()).ok());
        let (Some(name), Some(data)) = (field("event"), data) else { return Ok(None) };
        if let Some(id) = field("id") {
            self.last_id = Some(id.to_owned());
        }
        self.show(name, &data)?;
        match name {
            "state" | "progress" => self.last_job = Some(data),
            "end" if text(&data, "reason") == "ended" => return Ok(self.last_job.take()),
            "end" if text(&data, "reason") == "deleted" => {
                return Err(Failure::Ended("the job was deleted".to_owned()));
            }
            _ => {}
        }
        Ok(None)
    }

    fn show(&self, name: &str, data: &Value) -> Result<(), Failure> {
        if self.screen.is_json() {
            let event = Value::map([("event", name.into()), ("data", data.clone())]);
            return Ok(line(&event.to_string())?);
        }
        match name {
            "state" | "progress" => {
                let (id, status, flow) =
                    (text(data, "id"), text(data, "status"), text(data, "flow"));
                Ok(line(format!("{id}  {status:9}  {flow}  {}", note(data)).trim_end())?)
            }
            "deleted" => Ok(line(&format!("{}  deleted", text(data, "id")))?),
            _ => Ok(()),
        }
    }
}
