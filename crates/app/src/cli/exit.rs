//! How a command ends badly, and with which exit code.

use std::io;
use std::process::ExitCode;

use jobmill_model::value::JsonError;

use super::screen::say;
use crate::boot::StartError;
use crate::client::{AddressError, ClientError};
use crate::config::ConfigError;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const UNREACHABLE: u8 = 3;
const UNFINISHED: u8 = 4;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The command or its input is wrong.
    Usage(String),
    /// The configuration is wrong.
    Config(Vec<ConfigError>),
    /// The server could not be asked, or it said no.
    Client(ClientError),
    /// The job ended, but not well.
    Ended(String),
    /// The job has not ended yet.
    Unfinished(String),
    /// The server could not start.
    Start(StartError),
    /// Standard output or a file cannot be written or read.
    Io(io::Error),
}

impl Failure {
    /// The exit code that says so.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Config(_) => USAGE,
            Self::Client(ClientError::Unsendable(_)) | Self::Start(StartError::Key(..)) => USAGE,
            Self::Client(ClientError::Refused(_)) => FAILED,
            Self::Client(_) => UNREACHABLE,
            Self::Ended(_) | Self::Start(_) => FAILED,
            Self::Unfinished(_) => UNFINISHED,
            // Whoever reads has read enough, as in `jobmill jobs list | head`.
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Io(_) => FAILED,
        }
    }

    /// Tells it on standard error.
    #[must_use]
    pub(super) fn tell(&self) -> ExitCode {
        let code = self.code();
        if code != 0 {
            self.lines().iter().for_each(|line| say(&format!("error: {line}")));
        }
        ExitCode::from(code)
    }

    fn lines(&self) -> Vec<String> {
        match self {
            Self::Usage(text) | Self::Ended(text) | Self::Unfinished(text) => vec![text.clone()],
            Self::Config(errors) => errors.iter().map(ToString::to_string).collect(),
            Self::Client(error) => vec![error.to_string()],
            Self::Start(error) => vec![error.to_string()],
            Self::Io(error) => vec![error.to_string()],
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<AddressError> for Failure {
    fn from(error: AddressError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<Vec<ConfigError>> for Failure {
    fn from(errors: Vec<ConfigError>) -> Self {
        Self::Config(errors)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Input of the command line that is not JSON.
pub(super) fn not_json(what: &str, error: &JsonError) -> Failure {
    Failure::Usage(format!("{what} is not JSON: {error}"))
}
