//! `jobmill serve`: API and workers in one process.

use clap::Args;
use jobmill_engine::Registry;

use super::screen::say;
use super::{Context, Failure};
use crate::boot::{self, Server, Signals, StartError};
use crate::config::{Flags, LogFormat, Serving, Settings, load};
use crate::selftest;

/// Serves the API and performs jobs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  jobmill serve
  jobmill serve --listen 127.0.0.1:0 --data /var/lib/jobmill --workers 8
  jobmill serve --listen 0.0.0.0:8080      # asks for the API key in <data>/api-key

Each setting is also a key of jobmill.toml (`data = \"/srv/jobmill\"`) and a variable of the
environment (JOBMILL_DATA=/srv/jobmill); `jobmill config` shows all of them.

SIGTERM or Ctrl-C ends it in order: it accepts nothing more, lets jobs finish within --grace,
hands the others back and exits with 0. A second one ends it at once; nothing that was
acknowledged is lost, and the next start goes on.")]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: Flags<Serving>,
    /// Adds the flows of the self-test
    #[arg(long = selftest::FLAG, hide = true)]
    selftest_flows: bool,
}

impl Serve {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let loaded = load(&context.sources(&self.flags))?;
        loaded.warnings.iter().for_each(|warning| say(&format!("warning: {warning}")));
        boot::start_logs(&loaded.settings);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let flows = boot::registry().map_err(StartError::from)?;
        let flows = match self.selftest_flows {
            true => selftest::with_flows(flows).map_err(StartError::from)?,
            false => flows,
        };
        runtime.block_on(serve(&loaded.settings, flows))
    }
}

async fn serve(settings: &Settings, flows: Registry) -> Result<(), Failure> {
    let signals = Signals::listen()?;
    let server = Server::start_with(settings, flows).await?;
    let format = settings.log_format;
    tell(format, concat!("jobmill ", env!("CARGO_PKG_VERSION")));
    tell(format, &format!("data in {}", server.data_file.display()));
    if server.needs_key {
        tell(format, &key_line(&server));
    }
    tell(format, &format!("listening on http://{}", server.address()));
    let grace = settings.grace;
    let told = || tell(format, &format!("stopping; jobs that are under way have {grace} left"));
    let hurried = move || tell(format, "stopped at once; the next start goes on from here");
    server.run(signals.first(told, hurried)).await?;
    tell(format, "stopped");
    Ok(())
}

/// Where the key is; never the key.
fn key_line(server: &Server) -> String {
    match &server.key_file {
        Some(path) => format!("requests need the API key in {}", path.display()),
        None => "requests need the API key of the settings".to_owned(),
    }
}

/// A line about the server itself: to a person as it is, to a collector of logs as an event.
fn tell(format: LogFormat, line: &str) {
    match format {
        LogFormat::Human => say(line),
        LogFormat::Json => tracing::info!("{line}"),
    }
}
