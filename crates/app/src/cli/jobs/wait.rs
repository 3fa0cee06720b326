//! `jobmill jobs wait`: until a job has ended.

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::{Span, Value};

use super::super::Failure;
use super::super::screen::Screen;
use super::super::session::{field, text};
use super::{job_table, note, route, verdict};
use crate::client::{Client, ClientError, Query, Refusal, Request};

/// Waits until a job has ended; the exit code says how it ended
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 completed, 1 failed or cancelled, 4 not finished within --timeout.")]
pub(crate) struct Wait {
    /// The job's id
    id: String,
    /// How long to wait at most, such as 5m; without it as long as it takes
    #[arg(long, value_name = "DURATION")]
    timeout: Option<Span>,
}

impl Wait {
    pub(super) async fn run(self, client: &Client, screen: Screen) -> Result<(), Failure> {
        let job = until_ended(client, screen, &self.id, self.timeout).await?;
        screen.table(&job_table(std::slice::from_ref(&job)), &job)?;
        verdict(&job)
    }
}

/// A server keeps a reader waiting for a minute at most.
const STEP: Span = Span::from_secs(30);
/// Somebody who watches a bar wants to see it move.
const STEP_WATCHED: Span = Span::from_millis(200);
/// A result that is not there yet.
const CONFLICT: u16 = 409;

/// The job when it has ended, or as it stands when the time is over; with a bar on a terminal.
pub(in super::super) async fn until_ended(
    client: &Client,
    screen: Screen,
    id: &str,
    limit: Option<Span>,
) -> Result<Value, Failure> {
    let step = if screen.is_watched() { STEP_WATCHED } else { STEP };
    let bar = Bar::new(screen);
    watch(client, id, step, limit, |job| bar.show(job)).await
}

/// The same, showing the job as it stands at each step.
pub(in super::super) async fn watch(
    client: &Client,
    id: &str,
    step: Span,
    limit: Option<Span>,
    show: impl Fn(&Value),
) -> Result<Value, Failure> {
    let clock = SystemClock::default();
    let over = limit.map(|limit| clock.now().after(limit));
    loop {
        let job = client.ask(&Request::get(route(id, ""))).await?;
        show(&job);
        let left = over.map_or(step, |over| over.since(clock.now()).min(step));
        if has_ended(&job) || left == Span::ZERO {
            return Ok(job);
        }
        let query = Query::default().with("wait", left);
        let answer = client.send(&Request::get(route(id, &format!("/results{query}")))).await?;
        match answer.status() {
            200 => {}
            CONFLICT => drop(answer.bytes().await?),
            status => {
                let refusal = Refusal::of(status, &answer.bytes().await?);
                return Err(ClientError::Refused(Box::new(refusal)).into());
            }
        }
    }
}

fn has_ended(job: &Value) -> bool {
    matches!(text(job, "status"), "completed" | "failed" | "cancelled")
}

/// A bar on a terminal, and nothing elsewhere.
struct Bar(ProgressBar);

impl Bar {
    fn new(screen: Screen) -> Self {
        let target = match screen.is_watched() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    fn show(&self, job: &Value) {
        let progress = field(job, "progress");
        let count = |name| {
            let count = progress.and_then(|it| field(it, name)).and_then(Value::as_int);
            count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
        };
        self.0.set_prefix(text(job, "status").to_owned());
        self.0.set_length(count("total"));
        self.0.set_position(count("done"));
        self.0.set_message(note(job));
        if has_ended(job) {
            self.0.finish_and_clear();
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
