//! The settings as the program uses them, checked.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use jobmill_engine::WebhookKey;
use jobmill_model::retention::Retention;
use jobmill_model::{Declaration, Span};

/// Every setting, checked.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The folder of the data file.
    pub data: PathBuf,
    /// How many flows are performed at once.
    pub workers: usize,
    /// Flows for workers outside that the file declares.
    pub flows: Vec<Declaration>,
    /// How many workers may be lost under one job.
    pub max_crashes: u32,
    /// How long a shutdown waits for work that is under way.
    pub grace: Span,
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// How long a request may take.
    pub request_timeout: Span,
    /// How long the head of a request may take to arrive.
    pub header_timeout: Span,
    /// How many connections may be open at once.
    pub connections: usize,
    /// How long `/process` of document 002 sleeps.
    pub process_sleep: Span,
    /// How large the data file may grow, in bytes; no limit if nothing is said.
    pub store_limit: Option<u64>,
    /// Whether calls may go to private addresses.
    pub calls_to_private: bool,
    /// Whether calls may go to this machine; where nothing is said, if the server listens on
    /// loopback.
    pub calls_to_loopback: Option<bool>,
    /// What webhooks are signed with.
    pub webhook_secret: Option<WebhookKey>,
    /// How long jobs that have ended are kept.
    pub retention: Retention,
    /// Whether requests need a key.
    pub keys: Keys,
    /// The key itself.
    pub api_key: Option<Secret>,
    /// A file that holds the key.
    pub api_key_file: Option<PathBuf>,
    /// The Google project that workflows run in, as they are told.
    pub project: String,
    /// The Google location that workflows run in, as they are told.
    pub location: String,
    /// What addresses of this server begin with, as others see it; where it listens if nothing
    /// is said.
    pub public_url: Option<String>,
    /// Where an emulator of Firestore is.
    pub firestore_emulator: Option<String>,
    /// Where an emulator of BigQuery is.
    pub bigquery_emulator: Option<String>,
    /// The key of a service account.
    pub google_key: Option<PathBuf>,
    /// Where a metadata server is.
    pub google_metadata: Option<String>,
    /// Whether workflows are held to Google's limits.
    pub gcp_limits: bool,
    /// The server that the command line talks to.
    pub server: String,
    /// What is logged, in the words of `tracing`.
    pub log: String,
    /// How a line of the log looks.
    pub log_format: LogFormat,
}

/// Whether requests need a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// They do unless the server listens on 127.0.0.1 or ::1.
    Auto,
    /// They always do.
    On,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes text as a secret.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one who needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Settings {
    /// Settings before anything is read; the defaults of the table come over it.
    pub(super) fn blank() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: PathBuf::new(),
            workers: 1,
            flows: Vec::new(),
            max_crashes: 0,
            grace: Span::ZERO,
            body_limit: 0,
            request_timeout: Span::ZERO,
            header_timeout: Span::ZERO,
            connections: 0,
            process_sleep: Span::ZERO,
            store_limit: None,
            calls_to_private: false,
            calls_to_loopback: None,
            webhook_secret: None,
            retention: Retention::default(),
            keys: Keys::Auto,
            api_key: None,
            api_key_file: None,
            project: String::new(),
            location: String::new(),
            public_url: None,
            firestore_emulator: None,
            bigquery_emulator: None,
            google_key: None,
            google_metadata: None,
            gcp_limits: false,
            server: String::new(),
            log: String::new(),
            log_format: LogFormat::Human,
        }
    }
}
