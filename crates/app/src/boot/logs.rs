//! The log, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::{LogFormat, Settings};

/// Sends what the filter lets through to standard error. Only the first call has an effect.
pub fn start(settings: &Settings) {
    let filter = EnvFilter::builder().parse_lossy(&settings.log);
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    // That a log was started before is no reason not to serve.
    let _ = match settings.log_format {
        LogFormat::Human => {
            builder.with_ansi(io::stderr().is_terminal()).with_target(false).try_init()
        }
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}
