//! What a machine may ask of the world, and what may come back.

use std::fmt;
use std::sync::Arc;

use crate::queue::Name;
use crate::time::Timestamp;
use crate::value::Value;

/// The number of an effect within its run, from 0, in the order in which it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectNumber(pub u64);

impl fmt::Display for EffectNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something that a machine asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// What time is it? Comes back as [`Outcome::Clock`].
    Clock,
    /// Call a registered op. Comes back as [`Outcome::Done`] or [`Outcome::Failed`].
    Op(OpCall),
    /// Wait until an instant; the job is parked. Comes back as [`Outcome::Woken`].
    Sleep {
        /// The instant.
        until: Timestamp,
    },
    /// Wait for a signal of this name; the job is parked. Comes back as [`Outcome::Signal`], or
    /// as [`Outcome::Woken`] when `until` passed first.
    Signal {
        /// The signal's name.
        name: Name,
        /// How long to wait.
        until: Option<Timestamp>,
    },
    /// Make an HTTP call. Comes back as [`Outcome::Done`] with [`HttpResponse::to_value`]
    /// whatever the status, or as [`Outcome::Failed`] with one of the codes of [`HttpCall`].
    Http(HttpCall),
    /// Write a log entry. Comes back as [`Outcome::Done`].
    Log(LogEntry),
    /// Open an address whose requests become signals of this name. Comes back as
    /// [`Outcome::Done`] with `{"url": text}`.
    Callback(CallbackEndpoint),
    /// Call a Google service by its connector. Comes back as [`Outcome::Done`] with
    /// `{"result": any}` or `{"error": error map}`, or as [`Outcome::Failed`], whose code becomes
    /// the tag.
    Connector(ConnectorCall),
}

/// An HTTP call, ready to be sent: defaults are filled in, the body is encoded.
///
/// It fails with `ConnectionFailedError` (never connected), `ConnectionError` (broke on the
/// way), `TimeoutError`, `AuthError` (no token could be had) or any other code.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpCall {
    /// `GET`, `POST` …
    pub method: String,
    /// Where to, without the query below.
    pub url: String,
    /// Parameters to add to the URL, in order, not yet encoded.
    pub query: Vec<(String, String)>,
    /// Header lines in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Arc<[u8]>>,
    /// How long the whole call may take.
    pub timeout_ms: u64,
    /// Bytes of the answer's body at most.
    pub response_bytes_max: u64,
    /// The token to add.
    pub auth: Option<HttpAuth>,
    /// The Service Directory name to go through.
    pub private_service_name: Option<String>,
    /// A PEM certificate to trust besides the usual ones.
    pub ca_certificate: Option<String>,
}

/// The token that an HTTP call carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpAuth {
    /// An identity token for this audience.
    Oidc {
        /// Whom it is for.
        audience: String,
    },
    /// An access token with these scopes.
    OAuth2 {
        /// What it allows.
        scopes: Vec<String>,
    },
}

/// The answer to an HTTP call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// Header lines in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A log entry.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEntry {
    /// `DEFAULT`, `DEBUG`, `INFO`, `NOTICE`, `WARNING`, `ERROR`, `CRITICAL`, `ALERT` or
    /// `EMERGENCY`.
    pub severity: String,
    /// Text, or an object.
    pub payload: Value,
}

/// An address that waits for requests.
#[derive(Debug, Clone, PartialEq)]
pub struct CallbackEndpoint {
    /// The name of the signals that its requests become.
    pub name: Name,
    /// The HTTP method that it takes.
    pub method: String,
}

/// A call of a connector.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectorCall {
    /// The dotted name, such as `googleapis.firestore.v1.projects.databases.documents.get`.
    pub method: String,
    /// The arguments: an object by name, or an array by position.
    pub args: Value,
}

impl HttpCall {
    fn to_value(&self) -> Value {
        let pairs = |pairs: &[(String, String)]| {
            let pair =
                |(a, b): &(String, String)| Value::list([a.as_str().into(), b.as_str().into()]);
            Value::list(pairs.iter().map(pair))
        };
        let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
        let auth = match &self.auth {
            None => Value::Null,
            Some(HttpAuth::Oidc { audience }) => Value::from(audience.as_str()),
            Some(HttpAuth::OAuth2 { scopes }) => {
                Value::list(scopes.iter().map(|scope| scope.as_str().into()))
            }
        };
        Value::map([
            ("http", self.method.as_str().into()),
            ("url", self.url.as_str().into()),
            ("query", pairs(&self.query)),
            ("headers", pairs(&self.headers)),
            ("body", self.body.as_deref().map_or(Value::Null, |body| bytes_value(body).1)),
            ("auth", auth),
            ("service", text(&self.private_service_name)),
            ("certificate", text(&self.ca_certificate)),
        ])
    }
}

impl HttpResponse {
    /// The form in which the answer is journaled; a body that is no text is hexadecimal.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| Value::list([name.as_str().into(), value.as_str().into()]));
        let headers = Value::list(headers);
        Value::map([
            ("status", u32::from(self.status).into()),
            ("headers", headers),
            bytes_value(&self.body),
        ])
    }

    /// Reads the journaled form; `None` for what [`to_value`](Self::to_value) does not write.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let map = value.as_map()?;
        let header = |pair: &Value| match pair.as_list()? {
            [name, value] => Some((name.as_str()?.to_owned(), value.as_str()?.to_owned())),
            _ => None,
        };
        let body = match map.get("text") {
            Some(text) => text.as_str()?.as_bytes().to_vec(),
            None => unhex(map.get("hex")?.as_str()?)?,
        };
        Some(Self {
            status: u16::try_from(map.get("status")?.as_int()?).ok()?,
            headers: map.get("headers")?.as_list()?.iter().map(header).collect::<Option<_>>()?,
            body,
        })
    }
}

fn bytes_value(bytes: &[u8]) -> (&'static str, Value) {
    match std::str::from_utf8(bytes) {
        Ok(text) => ("text", text.into()),
        Err(_) => {
            ("hex", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some((digit(high)? * 16 + digit(low)?) as u8),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// A call of a registered op.
#[derive(Debug, Clone, PartialEq)]
pub struct OpCall {
    /// The op's name.
    pub op: Name,
    /// What it is given.
    pub input: Value,
}

/// What an effect came back with.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It succeeded with a value.
    Done(Value),
    /// It failed, and trying again within this effect would not help.
    Failed {
        /// The fault's code.
        code: String,
        /// The fault's message.
        message: String,
    },
    /// The time.
    Clock(Timestamp),
    /// The instant has come.
    Woken,
    /// A signal arrived with this content.
    Signal(Value),
}

impl Effect {
    /// The request as ordered JSON: what the journal's fingerprint is taken of.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Clock => Value::map([("clock", Value::Null)]),
            Self::Op(call) => {
                Value::map([("op", call.op.as_str().into()), ("input", call.input.clone())])
            }
            Self::Sleep { until } => Value::map([("sleep", until.as_millis().into())]),
            Self::Signal { name, until } => Value::map([
                ("signal", name.as_str().into()),
                ("until", until.map_or(Value::Null, |at| at.as_millis().into())),
            ]),
            Self::Http(call) => call.to_value(),
            Self::Log(entry) => Value::map([
                ("log", entry.severity.as_str().into()),
                ("payload", entry.payload.clone()),
            ]),
            Self::Callback(endpoint) => Value::map([
                ("callback", endpoint.name.as_str().into()),
                ("method", endpoint.method.as_str().into()),
            ]),
            Self::Connector(call) => Value::map([
                ("connector", call.method.as_str().into()),
                ("args", call.args.clone()),
            ]),
        }
    }

    /// A number that two different requests hardly share.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let hash = blake3::hash(self.to_value().to_json().as_str().as_bytes());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_be_bytes(bytes)
    }

    /// Until when a machine that has nothing else to do may give its worker back, if it may.
    #[must_use]
    pub fn parks(&self) -> Option<Option<Timestamp>> {
        match self {
            Self::Sleep { until } => Some(Some(*until)),
            Self::Signal { until, .. } => Some(*until),
            Self::Clock
            | Self::Op(_)
            | Self::Http(_)
            | Self::Log(_)
            | Self::Callback(_)
            | Self::Connector(_) => None,
        }
    }
}

impl fmt::Display for Effect {
    /// Says in a few words what is waited for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock => f.write_str("the clock"),
            Self::Op(call) => write!(f, "op {}", call.op),
            Self::Http(call) => write!(f, "{} {}", call.method, call.url),
            Self::Log(_) => f.write_str("a log entry"),
            Self::Callback(endpoint) => write!(f, "a callback address for {}", endpoint.name),
            Self::Connector(call) => write!(f, "connector {}", call.method),
            Self::Sleep { until } => write!(f, "a timer until {until}"),
            Self::Signal { name, until: None } => write!(f, "signal {name}"),
            Self::Signal { name, until: Some(until) } => write!(f, "signal {name} until {until}"),
        }
    }
}
