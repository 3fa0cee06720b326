//! The table: every setting once, with its name, default, meaning and reader.

use jobmill_engine::WebhookKey;
use jobmill_model::Span;
use tracing_subscriber::EnvFilter;

use super::parse::{address, choice, count, duration, emulator, keep, path, size, word};
use super::settings::{Keys, LogFormat, Secret, Settings};

/// Who uses a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The server.
    Server,
    /// The commands that talk to a server.
    Client,
    /// Both.
    Both,
}

/// The value of a setting that nobody has set.
#[derive(Debug, Clone, Copy)]
pub enum Fallback {
    /// A fixed text.
    Text(&'static str),
    /// What the machine says.
    Made(fn() -> String),
    /// Nothing; the text says what that means.
    Nothing(&'static str),
}

impl Fallback {
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.to_owned()),
            Self::Made(make) => Some(make()),
            Self::Nothing(_) => None,
        }
    }
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Its name, as a key of the file.
    pub name: &'static str,
    /// What kind of value it takes, as help texts show it.
    pub value: &'static str,
    /// What it means.
    pub about: &'static str,
    /// Its default.
    pub fallback: Fallback,
    /// Who uses it.
    pub side: Side,
    /// Whether its value is never shown. A secret has no flag: other users of a machine can see
    /// the flags of a program.
    pub secret: bool,
    pub(super) set: fn(&mut Settings, &str) -> Result<(), String>,
}

impl Setting {
    /// Its name in the environment.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("JOBMILL_{}", self.name.to_uppercase())
    }

    /// Its name as a flag, without the dashes.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether it can be set by a flag.
    #[must_use]
    pub fn has_flag(&self) -> bool {
        !self.secret
    }

    /// The setting of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }
}

/// Shorter than this nobody can finish a request, longer than this nobody waits.
const TIMEOUT_LEAST: Span = Span::from_millis(100);
const TIMEOUT_MOST: Span = Span::from_secs(86_400);

/// Every setting, in the order in which they are shown.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "listen",
        value: "ADDRESS",
        about: "Where the server listens; port 0 takes a free port. Anywhere but on 127.0.0.1 and \
                ::1 it asks for an API key",
        fallback: Fallback::Text("127.0.0.1:8080"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.listen, address(text)),
    },
    Setting {
        name: "data",
        value: "FOLDER",
        about: "The folder of the data file; a server makes it, and no two share it",
        fallback: Fallback::Text("jobmill-data"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.data, path(text)),
    },
    Setting {
        name: "workers",
        value: "N",
        about: "How many flows are performed at once; with 0 the server leaves its built-in flows \
                to `jobmill worker` and other workers outside [default: the number of processors]",
        fallback: Fallback::Made(processors),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.workers, count(text, 0..=1_024)),
    },
    Setting {
        name: "max_crashes",
        value: "N",
        about: "How many workers may be lost under one job before it is given up",
        fallback: Fallback::Text("20"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.max_crashes, count(text, 1..=1_000)),
    },
    Setting {
        name: "grace",
        value: "DURATION",
        about: "How long a shutdown waits for jobs that are under way; the rest is handed back",
        fallback: Fallback::Text("20s"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.grace, duration(text, Span::ZERO..=TIMEOUT_MOST)),
    },
    Setting {
        name: "body_limit",
        value: "SIZE",
        about: "The largest request body",
        fallback: Fallback::Text("16MiB"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            let bytes = usize::try_from(size(text)?);
            put(&mut settings.body_limit, bytes.map_err(|_| "a size that fits memory".to_owned()))
        },
    },
    Setting {
        name: "request_timeout",
        value: "DURATION",
        about: "How long a request may take, not counting the time that it asks to wait",
        fallback: Fallback::Text("30s"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            put(&mut settings.request_timeout, duration(text, TIMEOUT_LEAST..=TIMEOUT_MOST))
        },
    },
    Setting {
        name: "header_timeout",
        value: "DURATION",
        about: "How long the head of a request may take to arrive, and an idle connection is kept",
        fallback: Fallback::Text("30s"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            put(&mut settings.header_timeout, duration(text, TIMEOUT_LEAST..=TIMEOUT_MOST))
        },
    },
    Setting {
        name: "connections",
        value: "N",
        about: "How many connections may be open at once; each takes a file descriptor",
        fallback: Fallback::Text("800"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.connections, count(text, 1..=1_000_000)),
    },
    Setting {
        name: "process_sleep",
        value: "DURATION",
        about: "How long `POST /process` of document 002 sleeps before it writes its row",
        fallback: Fallback::Text("3m"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            put(&mut settings.process_sleep, duration(text, Span::ZERO..=TIMEOUT_MOST))
        },
    },
    Setting {
        name: "store_limit",
        value: "SIZE",
        about: "How large the data file may grow; submissions beyond it are refused",
        fallback: Fallback::Nothing("no limit"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.store_limit, size(text).map(Some)),
    },
    Setting {
        name: "keep_completed",
        value: "LIMITS",
        about: "How long completed jobs are kept: a duration since their end such as 30d, \
                how many of them such as 100000, or both: 30d,100000",
        fallback: Fallback::Text("forever"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.retention.completed, keep(text)),
    },
    Setting {
        name: "keep_failed",
        value: "LIMITS",
        about: "The same for failed jobs",
        fallback: Fallback::Text("forever"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.retention.failed, keep(text)),
    },
    Setting {
        name: "keep_cancelled",
        value: "LIMITS",
        about: "The same for cancelled jobs",
        fallback: Fallback::Text("forever"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.retention.cancelled, keep(text)),
    },
    Setting {
        name: "keys",
        value: "WHEN",
        about: "Whether requests need an API key: `auto` asks for one unless the server listens \
                on 127.0.0.1 or ::1, `on` always",
        fallback: Fallback::Text("auto"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            put(&mut settings.keys, choice(text, &[("auto", Keys::Auto), ("on", Keys::On)]))
        },
    },
    Setting {
        name: "api_key",
        value: "KEY",
        about: "The API key: the server asks for it, the command line sends it",
        fallback: Fallback::Nothing("none"),
        side: Side::Both,
        secret: true,
        set: |settings, text| put(&mut settings.api_key, secret(text).map(Some)),
    },
    Setting {
        name: "api_key_file",
        value: "FILE",
        about: "A file that holds the API key; a server that needs a key and has none makes \
                `api-key` in its data folder",
        fallback: Fallback::Nothing("none"),
        side: Side::Both,
        secret: false,
        set: |settings, text| put(&mut settings.api_key_file, path(text).map(Some)),
    },
    Setting {
        name: "project",
        value: "ID",
        about: "The Google project that workflows are told they run in",
        fallback: Fallback::Text("local"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.project, word(text, 30)),
    },
    Setting {
        name: "location",
        value: "ID",
        about: "The Google location that workflows are told they run in",
        fallback: Fallback::Text("local"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.location, word(text, 30)),
    },
    Setting {
        name: "public_url",
        value: "URL",
        about: "What addresses of this server begin with, as others see them: those of callbacks",
        fallback: Fallback::Nothing("the address that it listens on"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.public_url, server(text).map(Some)),
    },
    Setting {
        name: "firestore_emulator",
        value: "HOST",
        about: "Where the Firestore connectors of workflows go, an emulator; also read from \
                FIRESTORE_EMULATOR_HOST",
        fallback: Fallback::Nothing("the documents of this server"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.firestore_emulator, emulator(text).map(Some)),
    },
    Setting {
        name: "bigquery_emulator",
        value: "HOST",
        about: "Where the BigQuery connectors of workflows go, an emulator; also read from \
                BIGQUERY_EMULATOR_HOST",
        fallback: Fallback::Nothing("the tables of this server"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.bigquery_emulator, emulator(text).map(Some)),
    },
    Setting {
        name: "google_key",
        value: "FILE",
        about: "The key of a service account: connectors without an emulator go to Google with \
                it; also read from GOOGLE_APPLICATION_CREDENTIALS",
        fallback: Fallback::Nothing("connectors go to this server"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.google_key, path(text).map(Some)),
    },
    Setting {
        name: "google_metadata",
        value: "HOST",
        about: "The metadata server that hands out tokens where there is no key, such as \
                metadata.google.internal; also read from GCE_METADATA_HOST",
        fallback: Fallback::Nothing("no metadata server is asked"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.google_metadata, emulator(text).map(Some)),
    },
    Setting {
        name: "gcp_limits",
        value: "WHETHER",
        about: "Whether workflows are held to Google's limits: `on`, or `off` for far wider ones",
        fallback: Fallback::Text("off"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            put(&mut settings.gcp_limits, choice(text, &[("off", false), ("on", true)]))
        },
    },
    Setting {
        name: "calls_to_private",
        value: "WHETHER",
        about: "Whether calls of workflows and webhooks may go to private addresses: `on` or `off`",
        fallback: Fallback::Text("off"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            put(&mut settings.calls_to_private, choice(text, &[("off", false), ("on", true)]))
        },
    },
    Setting {
        name: "calls_to_loopback",
        value: "WHETHER",
        about: "Whether they may go to this machine itself: `on`, `off`, or `auto`, which is `on` \
                where the server listens on loopback",
        fallback: Fallback::Text("auto"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            let choices = [("auto", None), ("on", Some(true)), ("off", Some(false))];
            put(&mut settings.calls_to_loopback, choice(text, &choices))
        },
    },
    Setting {
        name: "webhook_secret",
        value: "SECRET",
        about: "What webhooks are signed with, as `whsec_` and base64; several with spaces between \
                all sign; a server that has none makes `webhook-secret` in its data folder",
        fallback: Fallback::Nothing("made by the server"),
        side: Side::Server,
        secret: true,
        set: |settings, text| {
            let key = WebhookKey::read(text).map(Some).map_err(str::to_owned);
            put(&mut settings.webhook_secret, key)
        },
    },
    Setting {
        name: "server",
        value: "URL",
        about: "The server that the command line talks to",
        fallback: Fallback::Text("http://127.0.0.1:8080"),
        side: Side::Client,
        secret: false,
        set: |settings, text| put(&mut settings.server, server(text)),
    },
    Setting {
        name: "log",
        value: "FILTER",
        about: "What is logged: a level, or levels by module such as `info,jobmill=debug`",
        fallback: Fallback::Text("info"),
        side: Side::Server,
        secret: false,
        set: |settings, text| put(&mut settings.log, filter(text)),
    },
    Setting {
        name: "log_format",
        value: "FORMAT",
        about: "How a line of the log looks: `human` or `json`",
        fallback: Fallback::Text("human"),
        side: Side::Server,
        secret: false,
        set: |settings, text| {
            let formats = [("human", LogFormat::Human), ("json", LogFormat::Json)];
            put(&mut settings.log_format, choice(text, &formats))
        },
    },
];

fn put<T>(slot: &mut T, parsed: Result<T, String>) -> Result<(), String> {
    *slot = parsed?;
    Ok(())
}

fn processors() -> String {
    std::thread::available_parallelism().map_or(1, usize::from).to_string()
}

/// A guessable key is no key.
const KEY_BYTES: usize = 16;

/// Reads a key.
///
/// # Errors
/// What is expected of one.
pub fn secret(text: &str) -> Result<Secret, String> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    match printable && text.len() >= KEY_BYTES {
        true => Ok(Secret::new(text)),
        false => Err(format!("at least {KEY_BYTES} printable characters without spaces")),
    }
}

fn server(text: &str) -> Result<String, String> {
    let scheme = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    match scheme && text.len() > "https://".len() {
        true => Ok(text.trim_end_matches('/').to_owned()),
        false => Err("an address such as http://127.0.0.1:8080".to_owned()),
    }
}

fn filter(text: &str) -> Result<String, String> {
    match EnvFilter::builder().parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("a level (error, warn, info, debug, trace), or levels by module".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobmill_model::limits;

    #[test]
    fn names_are_unique_and_have_one_spelling() {
        let mut names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SETTINGS.len());
    }

    #[test]
    fn defaults_agree_with_the_limits_of_the_model() {
        let settings = super::super::defaults();
        assert_eq!(settings.body_limit, limits::BODY_BYTES);
        assert_eq!(settings.max_crashes, limits::MAX_CRASHES);
    }
}
