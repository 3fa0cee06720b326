//! One keep-alive connection to a server, and requests over it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::value::JsonError;
use jobmill_model::{Span, Value};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::address::Address;
use super::problem::Refusal;
use crate::config::Secret;

/// A server on this planet answers a call for a connection sooner.
const CONNECT: Span = Span::from_secs(10);
/// The longest wait for a result (one minute) and some more.
const ANSWER: Span = Span::from_secs(120);

/// How much of a file is sent at once.
const PIECE_BYTES: usize = 64 * 1024;

/// What a request carries.
#[derive(Debug, Clone)]
enum Content {
    Bytes(Bytes),
    /// The whole file, read as it is sent.
    File(PathBuf),
}

/// A body as it goes over the connection.
type Body = UnsyncBoxBody<Bytes, io::Error>;

impl Content {
    fn body(&self) -> io::Result<Body> {
        Ok(match self {
            Self::Bytes(bytes) => {
                Full::new(bytes.clone()).map_err(|never| match never {}).boxed_unsync()
            }
            Self::File(path) => {
                let pieces = stream::unfold(File::open(path)?, |mut file| async move {
                    let mut piece = vec![0; PIECE_BYTES];
                    match file.read(&mut piece) {
                        Ok(0) => None,
                        Ok(bytes) => {
                            piece.truncate(bytes);
                            Some((Ok(Frame::data(Bytes::from(piece))), file))
                        }
                        Err(error) => Some((Err(error), file)),
                    }
                });
                BodyExt::boxed_unsync(StreamBody::new(pieces))
            }
        })
    }
}

/// What to ask.
#[derive(Debug, Clone)]
pub struct Request {
    method: Method,
    route: String,
    body: Content,
    content_type: Option<&'static str>,
    idempotency_key: Option<String>,
    last_event_id: Option<String>,
    lease_token: Option<u64>,
}

impl Request {
    /// Reads something.
    pub fn get(route: impl Into<String>) -> Self {
        Self::new(Method::GET, route)
    }

    /// Asks for something to be done.
    pub fn post(route: impl Into<String>) -> Self {
        Self::new(Method::POST, route)
    }

    /// Puts something in its place.
    pub fn put(route: impl Into<String>) -> Self {
        Self::new(Method::PUT, route)
    }

    /// Removes something.
    pub fn delete(route: impl Into<String>) -> Self {
        Self::new(Method::DELETE, route)
    }

    fn new(method: Method, route: impl Into<String>) -> Self {
        let (body, route) = (Content::Bytes(Bytes::new()), route.into());
        Self {
            method,
            route,
            body,
            content_type: None,
            idempotency_key: None,
            last_event_id: None,
            lease_token: None,
        }
    }

    /// With a JSON value as its body.
    #[must_use]
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// With a body of some kind.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.body = Content::Bytes(body.into());
        self.content_type = Some(content_type);
        self
    }

    /// With the content of a file as its body.
    #[must_use]
    pub fn file(mut self, content_type: &'static str, path: impl Into<PathBuf>) -> Self {
        self.body = Content::File(path.into());
        self.content_type = Some(content_type);
        self
    }

    /// With the token of a lease.
    #[must_use]
    pub fn lease_token(mut self, token: u64) -> Self {
        self.lease_token = Some(token);
        self
    }

    /// With the sender's name for the request, if there is one.
    #[must_use]
    pub fn idempotency_key(mut self, key: Option<String>) -> Self {
        self.idempotency_key = key;
        self
    }

    /// With the id of the last event that was received, if there is one.
    #[must_use]
    pub fn last_event_id(mut self, id: Option<String>) -> Self {
        self.last_event_id = id;
        self
    }

    fn build(&self, client: &Client) -> Result<hyper::Request<Body>, ClientError> {
        let mut request = hyper::Request::builder()
            .method(self.method.clone())
            .uri(client.address.path(&self.route))
            .header(HOST, client.address.authority())
            .header(ACCEPT, "application/json");
        if let Some(kind) = self.content_type {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(id) = &self.last_event_id {
            request = request.header("last-event-id", id);
        }
        if let Some(token) = self.lease_token {
            request = request.header("lease-token", token);
        }
        if let Some(key) = &client.key {
            request = request.header(AUTHORIZATION, format!("Bearer {}", key.reveal()));
        }
        let unsendable = |error: &dyn fmt::Display| {
            ClientError::Unsendable(format!("this cannot be sent as a request: {error}"))
        };
        let body = self.body.body().map_err(|error| unsendable(&error))?;
        request.body(body).map_err(|error| unsendable(&error))
    }
}

/// Why there is no answer, or not the one that was asked for.
#[derive(Debug)]
pub enum ClientError {
    /// Nobody answers there.
    Unreachable(Address, io::Error),
    /// The connection broke, or no answer came in time.
    Broken(Address, String),
    /// What was given cannot be a request.
    Unsendable(String),
    /// The server said no.
    Refused(Box<Refusal>),
    /// The answer is not what this server's API says.
    Strange(Address, JsonError),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(address, error) => write!(
                f,
                "nobody answers at {address} ({error}); is the server running? start it with \
                 `jobmill serve`, or name another one with --server"
            ),
            Self::Broken(address, why) => write!(f, "the connection to {address} broke: {why}"),
            Self::Unsendable(why) => f.write_str(why),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Strange(address, error) => {
                write!(f, "{address} does not answer like a Jobmill server: {error}")
            }
        }
    }
}

impl std::error::Error for ClientError {}

/// An answer whose head has arrived.
pub struct Answer {
    address: Address,
    response: Response<Incoming>,
}

impl Answer {
    /// Its status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// Its whole body.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn bytes(self) -> Result<Bytes, ClientError> {
        let broken = |error: hyper::Error| ClientError::Broken(self.address, error.to_string());
        Ok(self.response.into_body().collect().await.map_err(broken)?.to_bytes())
    }

    /// Its body as JSON, whatever its status.
    ///
    /// # Errors
    /// A connection that breaks, or a body that is not JSON.
    pub async fn value(self) -> Result<Value, ClientError> {
        let address = self.address.clone();
        let bytes = self.bytes().await?;
        Value::from_json(&bytes).map_err(|error| ClientError::Strange(address, error))
    }

    /// The next piece of its body; nothing at the end.
    ///
    /// # Errors
    /// A connection that breaks.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, ClientError> {
        while let Some(frame) = self.response.body_mut().frame().await {
            let broken =
                |error: hyper::Error| ClientError::Broken(self.address.clone(), error.to_string());
            if let Ok(bytes) = frame.map_err(broken)?.into_data() {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }

    /// The answer itself if it is a success.
    ///
    /// # Errors
    /// A refusal, or a connection that breaks while it is read.
    pub async fn accepted(self) -> Result<Self, ClientError> {
        match self.response.status().is_success() {
            true => Ok(self),
            false => {
                let status = self.status();
                let refusal = Refusal::of(status, &self.bytes().await?);
                Err(ClientError::Refused(Box::new(refusal)))
            }
        }
    }
}

type Sender = SendRequest<Body>;

/// The connection if it carries another request; servers close those that were idle for long.
async fn still_open(kept: Option<Sender>) -> Option<Sender> {
    let mut sender = kept?;
    sender.ready().await.ok()?;
    Some(sender)
}

/// A client of one server; it keeps one connection.
pub struct Client {
    address: Address,
    key: Option<Secret>,
    clock: Arc<dyn Clock>,
    connection: Mutex<Option<Sender>>,
}

impl Client {
    /// A client of the server at an address; it connects with the first request.
    #[must_use]
    pub fn new(address: Address, key: Option<Secret>) -> Self {
        let clock = Arc::new(SystemClock::default());
        Self { address, key, clock, connection: Mutex::new(None) }
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Asks, and gives the answer if it is a success, as JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn ask(&self, request: &Request) -> Result<Value, ClientError> {
        self.send(request).await?.accepted().await?.value().await
    }

    /// Asks, and gives the answer whatever its status. The body of an answer is read to its end
    /// before the connection carries another request.
    ///
    /// # Errors
    /// No connection, a broken one, or no answer in time.
    pub async fn send(&self, request: &Request) -> Result<Answer, ClientError> {
        let mut kept = self.connection.lock().await;
        if let Some(sender) = still_open(kept.take()).await
            && let Some(answer) = self.exchange(&mut kept, sender, request).await?
        {
            return Ok(answer);
        }
        let sender = self.connect().await?;
        let unsent = || ClientError::Broken(self.address.clone(), "it was closed".to_owned());
        self.exchange(&mut kept, sender, request).await?.ok_or_else(unsent)
    }

    /// One request over a connection, which is kept afterwards; nothing if the connection was
    /// closed before anything of the request was sent.
    async fn exchange(
        &self,
        kept: &mut Option<Sender>,
        mut sender: Sender,
        request: &Request,
    ) -> Result<Option<Answer>, ClientError> {
        let broken = |why: String| ClientError::Broken(self.address.clone(), why);
        let sent = sender.send_request(request.build(self)?);
        let answered = self.within(ANSWER, sent).await;
        let answered = answered.ok_or_else(|| broken(format!("no answer within {ANSWER}")))?;
        match answered {
            Ok(response) => {
                *kept = Some(sender);
                Ok(Some(Answer { address: self.address.clone(), response }))
            }
            Err(error) if error.is_canceled() => Ok(None),
            Err(error) => Err(broken(error.to_string())),
        }
    }

    async fn connect(&self) -> Result<Sender, ClientError> {
        let unreachable = |error| ClientError::Unreachable(self.address.clone(), error);
        let stream = self.within(CONNECT, TcpStream::connect(self.address.target())).await;
        let stream =
            stream.unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|error| ClientError::Broken(self.address.clone(), error.to_string()))?;
        // What ends the connection is told to whoever waits for an answer.
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn within<T>(&self, limit: Span, work: impl Future<Output = T>) -> Option<T> {
        let over = self.clock.now().after(limit);
        tokio::select! {
            done = work => Some(done),
            () = self.clock.sleep_until(over) => None,
        }
    }
}
