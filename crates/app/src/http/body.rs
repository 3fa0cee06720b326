//! The body of a request, within its limits.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use jobmill_model::job::{Fingerprint, Idempotency};
use jobmill_model::{Map, Timestamp, Token, Value};

use super::access::Caller;
use super::deadline;
use super::refusal::{Kind, Refusal};
use super::room::Room;

/// How much of a body that is too large is taken in and thrown away, so that a sender which
/// reads only after it has written gets to read the refusal.
const THROWN_AWAY_BYTES: usize = 8 * 1024 * 1024;

/// A body of this size takes a while to read, which is done beside the threads that serve.
const LARGE_BYTES: usize = 256 * 1024;

/// What was posted.
pub(crate) struct Posted {
    bytes: Bytes,
    media_type: Media,
    key: Option<HeaderValue>,
    lease: Option<HeaderValue>,
    caller: Option<Caller>,
}

/// How a body says that it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    JsonLines,
    Other,
}

impl Media {
    fn must_be_json(self) -> Result<(), Refusal> {
        match self {
            Self::Json => Ok(()),
            _ => Err(Refusal::new(
                Kind::MediaType,
                "send JSON, with the header `Content-Type: application/json`",
            )),
        }
    }
}

/// A JSON text of any length under a lease, which is read as it arrives.
pub(crate) struct Streamed {
    pub(crate) token: Token,
    pub(crate) pieces: Pieces,
}

/// The pieces of a body, each of which has to arrive within the time of a request.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes, Refusal>>;

impl FromRequest<Arc<Room>> for Streamed {
    type Rejection = Refusal;

    async fn from_request(request: Request, room: &Arc<Room>) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        media_type(&parts.headers).must_be_json()?;
        let lease = parts.headers.get("lease-token");
        let token = lease.map(token).transpose()?.ok_or_else(no_token)?;
        let limit = room.request_timeout;
        let pieces = stream::try_unfold(body, move |mut body| async move {
            let slow = || Refusal::new(Kind::BodyTooSlow, format!("nothing came for {limit}"));
            while let Some(frame) = deadline::within(limit, body.frame()).await.ok_or_else(slow)? {
                let frame = frame.map_err(|_| broken_off())?;
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some((bytes, body)));
                }
            }
            Ok(None)
        });
        Ok(Self { token, pieces: pieces.boxed() })
    }
}

/// Takes in and throws away what is left of a body that is refused.
pub(crate) async fn throw_away(pieces: &mut Pieces) {
    let mut left = THROWN_AWAY_BYTES;
    while let Some(Ok(piece)) = pieces.next().await
        && left > 0
    {
        left = left.saturating_sub(piece.len());
    }
}

/// What is said where a request under a lease does not name it.
pub(crate) fn no_token() -> Refusal {
    Refusal::new(Kind::BadHeader, "send the lease's token in the header `Lease-Token`")
}

fn token(header: &HeaderValue) -> Result<Token, Refusal> {
    let token = header.to_str().ok().and_then(|text| text.trim().parse().ok());
    token
        .map(Token)
        .ok_or_else(|| Refusal::new(Kind::BadHeader, "Lease-Token: expected the number of a lease"))
}

fn broken_off() -> Refusal {
    Refusal::new(Kind::MalformedBody, "the body broke off")
}

impl FromRequest<Arc<Room>> for Posted {
    type Rejection = Refusal;

    async fn from_request(request: Request, room: &Arc<Room>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let media_type = media_type(&parts.headers);
        let announced = announced_bytes(&parts.headers);
        let reading = read(body, room.body_bytes, announced);
        let Some(bytes) = deadline::within(room.request_timeout, reading).await else {
            let limit = room.request_timeout;
            let detail = format!("the body did not arrive within {limit}");
            return Err(Refusal::new(Kind::BodyTooSlow, detail));
        };
        let key = parts.headers.remove("idempotency-key");
        let lease = parts.headers.remove("lease-token");
        let caller = parts.extensions.remove::<Caller>();
        Ok(Self { bytes: bytes?, media_type, key, lease, caller })
    }
}

impl Posted {
    /// The body as one JSON value.
    pub(crate) async fn json(&self) -> Result<Value, Refusal> {
        self.media_type.must_be_json()?;
        self.read().await
    }

    /// The body as it came.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body as one JSON value, whatever it says that it is; nothing is `null`.
    pub(crate) async fn any_json(&self) -> Result<Value, Refusal> {
        match self.bytes.trim_ascii() {
            b"" => Ok(Value::Null),
            _ => self.read().await,
        }
    }

    async fn read(&self) -> Result<Value, Refusal> {
        if self.bytes.len() < LARGE_BYTES {
            return Ok(Value::from_json(&self.bytes)?);
        }
        let bytes = self.bytes.clone();
        let reading = tokio::task::spawn_blocking(move || Value::from_json(&bytes)).await;
        Ok(reading.map_err(|_| Refusal::new(Kind::Broken, "the body cannot be read"))??)
    }

    /// The body as one JSON value; no body at all is an empty object.
    pub(crate) async fn json_if_any(&self) -> Result<Value, Refusal> {
        if self.bytes.is_empty() { Ok(Value::from(Map::new())) } else { self.json().await }
    }

    /// The token of the lease in the header `Lease-Token`, if it is given.
    pub(crate) fn lease_token(&self) -> Result<Option<Token>, Refusal> {
        self.lease.as_ref().map(token).transpose()
    }

    /// The lines of the body, if it is written as JSON lines.
    pub(crate) fn json_lines(&self) -> Option<impl Iterator<Item = (usize, &[u8])>> {
        let lines = || self.bytes.split(|byte| *byte == b'\n').zip(1..);
        let lines = lines().map(|(line, number)| (number, line.trim_ascii()));
        (self.media_type == Media::JsonLines).then(|| lines.filter(|(_, line)| !line.is_empty()))
    }

    /// The sender's name for this request, if it gave one. The body is compared by `canonical`.
    pub(crate) fn idempotency(
        &self,
        route: &str,
        canonical: impl FnOnce() -> String,
        now: Timestamp,
    ) -> Result<Option<Idempotency>, Refusal> {
        let Some(key) = &self.key else { return Ok(None) };
        let caller = self.caller.as_ref().map_or("local", |caller| &caller.name);
        let body = Fingerprint::of(canonical().as_bytes());
        let key = key.to_str().unwrap_or("\u{fffd}");
        match Idempotency::new(format!("{caller} {route}"), key, body, now) {
            Ok(idempotency) => Ok(Some(idempotency)),
            Err(error) => Err(Refusal::new(Kind::BadHeader, format!("Idempotency-Key: {error}"))),
        }
    }
}

fn media_type(headers: &HeaderMap) -> Media {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is = |name: &str| essence.eq_ignore_ascii_case(name);
    if is("application/json") || essence.to_ascii_lowercase().ends_with("+json") {
        Media::Json
    } else if is("application/x-ndjson") || is("application/jsonl") {
        Media::JsonLines
    } else {
        Media::Other
    }
}

fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read(mut body: Body, limit: usize, announced: Option<usize>) -> Result<Bytes, Refusal> {
    let read = match announced {
        Some(bytes) if bytes > limit => None,
        _ => match Limited::new(&mut body, limit).collect().await {
            Ok(collected) => Some(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => None,
            Err(_) => return Err(broken_off()),
        },
    };
    if let Some(bytes) = read {
        return Ok(bytes);
    }
    if announced.is_none_or(|bytes| bytes <= limit + THROWN_AWAY_BYTES) {
        let _ = Limited::new(&mut body, THROWN_AWAY_BYTES).collect().await;
    }
    let detail = format!("the body has more than {limit} bytes");
    Err(Refusal::new(Kind::BodyTooLarge, detail))
}
