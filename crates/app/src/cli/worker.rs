//! `jobmill worker`: performs jobs for a server, as a process of its own.

use std::sync::Arc;

use clap::Args;
use jobmill_flow::Flow;
use jobmill_model::queue::Name;
use jobmill_model::{Span, limits};

use super::run::unknown;
use super::screen::say;
use super::{Context, Failure};
use crate::boot::{self, Signals};
use crate::config::{Flags, Working, load};
use crate::worker::{self, Plan};

/// Performs jobs of the built-in flows for a server
#[derive(Debug, Args)]
#[command(after_help = "\
Any number of workers can share a queue, on any machine that reaches the server. A server that
only accepts and leases jobs is `jobmill serve --workers 0`. When a worker dies, its jobs are taken
over as soon as their leases end. The key comes from JOBMILL_API_KEY or --api-key-file.

Examples:
  jobmill worker
  jobmill worker --server http://10.0.0.5:8080 --queue reports --places 8
  jobmill worker --flow range_report --lease 10s

SIGTERM or Ctrl-C ends it in order: it takes nothing more, lets jobs finish within --grace and
hands the others back.")]
pub(crate) struct Worker {
    #[command(flatten)]
    flags: Flags<Working>,
    /// The queue to take jobs from
    #[arg(long, value_name = "NAME", default_value = "default")]
    queue: String,
    /// A flow to perform; may be given several times [default: all that are built in]
    #[arg(long, value_name = "NAME")]
    flow: Vec<String>,
    /// How many jobs to perform at once [default: the number of processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    places: Option<u16>,
    /// How long the server waits for a word of this worker before it gives its jobs to another
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = lease)]
    lease: Span,
    /// What the worker is called, for people who look at its jobs [default: jobmill-PID]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
}

fn lease(text: &str) -> Result<Span, String> {
    let range = limits::LEASE_MIN_MILLIS..=limits::LEASE_MAX_MILLIS;
    let span: Span = text.parse().map_err(|error| format!("{error}"))?;
    match range.contains(&span.as_millis()) {
        true => Ok(span),
        false => Err("from 1s to 1d".to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    Name::new(text).map(|name| name.to_string()).map_err(|error| error.to_string())
}

impl Worker {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let loaded = load(&context.sources(&self.flags))?;
        loaded.warnings.iter().for_each(|warning| say(&format!("warning: {warning}")));
        let settings = loaded.settings;
        boot::start_logs(&settings);
        let queue =
            name(&self.queue).map_err(|error| Failure::Usage(format!("--queue: {error}")))?;
        let plan = Plan {
            address: settings.server.parse()?,
            key: boot::given_key(&settings)?,
            name: self.name.unwrap_or_else(|| format!("jobmill-{}", std::process::id())),
            queue,
            flows: chosen(&self.flow)?,
            places: self.places.map_or_else(processors, usize::from),
            lease: self.lease,
            grace: settings.grace,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let ended = runtime.block_on(serve(plan));
        // What still runs was handed back.
        runtime.shutdown_background();
        ended
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn chosen(names: &[String]) -> Result<Vec<Arc<dyn Flow>>, Failure> {
    let flows = jobmill_flow::builtin();
    if names.is_empty() {
        return Ok(flows);
    }
    let find = |name: &String| {
        let flow = flows.iter().find(|flow| flow.name() == name).cloned();
        flow.ok_or_else(|| unknown(name, flows.iter().map(|flow| flow.name())))
    };
    names.iter().map(find).collect()
}

async fn serve(plan: Plan) -> Result<(), Failure> {
    let signals = Signals::listen()?;
    let Plan { address, name, queue, places, grace, .. } = &plan;
    let at_once = if *places == 1 { "one job".to_owned() } else { format!("{places} jobs") };
    say(&format!("{name} performs {at_once} at once of the queue {queue} of {address}"));
    let grace = *grace;
    let told = || say(&format!("stopping; jobs that are under way have {grace} left"));
    let hurried = || say("stopped at once; what was under way is done by another worker");
    worker::run(plan, signals.first(told, hurried)).await?;
    say("stopped");
    Ok(())
}
