//! Google's services elsewhere: in an emulator, or at Google.

use std::sync::Arc;
use std::time::Duration;

use jobmill_google::discovery::{Call, Method, Service};
use jobmill_google::retry::{self, IDEMPOTENT, NON_IDEMPOTENT};
use jobmill_google::wire::read::{self, Read};
use jobmill_google::wire::{Error, Status};
use jobmill_model::machine::{HttpCall, HttpResponse, Outcome};
use jobmill_model::{Fault, Span, Value};

use super::credentials::{Credentials, Purpose};
use crate::engine::Shared;
use crate::ops::outcome_of;

/// How long a call may take that is nobody's effect.
const TIMEOUT: Span = Span::from_secs(60);
/// How long one call of a connector takes at most, and when the connector does not say.
const CALL_SECONDS: f64 = 1_800.0;
/// The longest that a connector may take: of one that polls, all calls together.
const CONNECTOR_SECONDS: f64 = 31_536_000.0;
/// How long an answer may be.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// Where a service is.
#[derive(Debug, Clone)]
pub struct Remote {
    /// What its addresses begin with, such as `https://firestore.googleapis.com`.
    pub url: String,
    /// Who calls it; an emulator does not ask.
    pub credentials: Option<Arc<Credentials>>,
}

/// Where the connectors of Google's services go; what is not elsewhere is answered here.
#[derive(Debug, Clone, Default)]
pub struct Remotes {
    /// Firestore.
    pub firestore: Option<Remote>,
    /// BigQuery.
    pub bigquery: Option<Remote>,
    /// Who makes the HTTP calls of workflows that want a token.
    pub credentials: Option<Arc<Credentials>>,
}

impl Remotes {
    fn of(&self, service: Service) -> Option<&Remote> {
        match service {
            Service::Firestore => self.firestore.as_ref(),
            Service::BigQuery => self.bigquery.as_ref(),
        }
    }
}

/// Where a call goes, if not to the store.
pub(super) fn remote<'a>(shared: &'a Shared, call: &Call) -> Option<&'a Remote> {
    shared.registry.workflows().and_then(|workflows| workflows.remotes.of(call.method.service))
}

/// How long a connector's call may take: the `timeout` of its `connector_params`, in seconds.
///
/// # Errors
/// What is no time, or too long.
pub(super) fn timeout(args: &Value) -> Read<Span> {
    let params = args.as_map().and_then(|args| args.get("connector_params")?.as_map());
    let seconds = match params.and_then(|params| params.get("timeout")) {
        None | Some(Value::Null) => CALL_SECONDS,
        Some(value) => read::double(value, "connector_params.timeout")?,
    };
    if !(0.0..=CONNECTOR_SECONDS).contains(&seconds) || seconds == 0.0 {
        return Err(Error::invalid(format!(
            "connector_params.timeout must be above 0 and at most {CONNECTOR_SECONDS} seconds, got \
             {seconds}"
        )));
    }
    Ok(Span::from_millis((seconds.min(CALL_SECONDS) * 1_000.0).ceil() as u64))
}

/// Performs a machine's call; what may pass is tried again within the time.
pub(super) async fn perform(
    shared: &Shared,
    remote: &Remote,
    call: &Call,
    key: &str,
    timeout: Span,
) -> Outcome {
    let clock = &shared.clock;
    let over = clock.monotonic() + Duration::from(timeout);
    let left = || over.saturating_sub(clock.monotonic()).as_millis() as u64;
    let mut delays = retry::delays().map(|seconds| (seconds * 1_000.0) as u64);
    let sent = loop {
        let sent = send(shared, remote, call, key, Span::from_millis(left().max(1))).await;
        match delays.next().filter(|delay| *delay < left()) {
            Some(delay) if may_pass(call.method, &sent) => {
                clock.pause(Span::from_millis(delay)).await;
            }
            _ => break sent,
        }
    };
    match sent {
        Err(fault) => outcome_of(Err(fault)),
        Ok(answer) if (200..300).contains(&answer.status) => {
            Outcome::Done(Value::map([("result", body(&answer))]))
        }
        Ok(answer) => Outcome::Done(Value::map([("error", http_error(&answer))])),
    }
}

/// Whether a call failed in a way that may pass.
fn may_pass(method: &Method, sent: &Result<HttpResponse, Fault>) -> bool {
    let passing = if method.verb == "GET" { IDEMPOTENT } else { NON_IDEMPOTENT };
    match sent {
        Ok(answer) => passing.statuses.contains(&answer.status),
        Err(fault) => passing.tags.contains(&&*fault.code),
    }
}

/// Makes a call that is nobody's effect.
pub(super) async fn answer(shared: &Shared, remote: &Remote, call: &Call) -> Read<Value> {
    let answer = send(shared, remote, call, "", TIMEOUT).await.map_err(|fault| {
        let service = call.method.service.name();
        Error::new(Status::Unavailable, format!("{service} cannot be reached: {}", fault.message))
    })?;
    if (200..300).contains(&answer.status) {
        return Ok(body(&answer));
    }
    let status = match answer.status {
        404 => Status::NotFound,
        409 => Status::AlreadyExists,
        400 => Status::InvalidArgument,
        _ => Status::Unavailable,
    };
    let service = call.method.service.name();
    Err(Error::new(status, format!("{service} answered with {}", answer.status)))
}

async fn send(
    shared: &Shared,
    remote: &Remote,
    call: &Call,
    key: &str,
    timeout: Span,
) -> Result<HttpResponse, Fault> {
    let (path, query) = call.target();
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let token = match &remote.credentials {
        Some(credentials) => {
            let purpose = Purpose::Service(format!("{}/", remote.url));
            credentials.token(&shared.token_http, &purpose, shared.clock.now()).await?
        }
        // Emulators take this word for somebody who may do everything.
        None => "owner".to_owned(),
    };
    headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    let body = match &call.body {
        Value::Null => None,
        body => Some(body.to_string().into_bytes().into()),
    };
    let request = HttpCall {
        method: call.method.verb.to_owned(),
        url: format!("{}{path}", remote.url),
        query,
        headers,
        body,
        timeout_ms: timeout.as_millis(),
        response_bytes_max: ANSWER_BYTES,
        auth: None,
        private_service_name: None,
        ca_certificate: None,
    };
    shared.http.call(request, key).await
}

/// The body as JSON, or as text.
fn body(answer: &HttpResponse) -> Value {
    if answer.body.is_empty() {
        return Value::Null;
    }
    let text = || Value::from(&*String::from_utf8_lossy(&answer.body));
    Value::from_json(&answer.body).unwrap_or_else(|_| text())
}

fn http_error(answer: &HttpResponse) -> Value {
    let code = answer.status;
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), Value::from(&**value)));
    Value::map([
        ("message", format!("HTTP server responded with error code {code}").into()),
        ("tags", Value::list(["HttpError".into()])),
        ("code", u32::from(code).into()),
        ("headers", Value::map(headers)),
        ("body", body(answer)),
    ])
}

#[cfg(test)]
mod tests {
    use jobmill_google::discovery::METHODS;

    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_and_more_of_it_where_a_call_only_reads() {
        let method = |verb| METHODS.iter().find(|method| method.verb == verb).unwrap();
        let answered = |status| Ok(HttpResponse { status, headers: vec![], body: vec![] });
        let failed = |code: &'static str| Err(Fault::retry(code, "it broke"));
        let table = [
            (answered(200), false, false),
            (answered(404), false, false),
            (answered(429), true, true),
            (answered(500), false, false),
            (answered(502), true, false),
            (answered(503), true, true),
            (answered(504), true, false),
            (failed("ConnectionFailedError"), true, true),
            (failed("ConnectionError"), true, false),
            (failed("TimeoutError"), true, false),
            (failed("AuthError"), false, false),
        ];
        for (sent, reading, writing) in table {
            assert_eq!(may_pass(method("GET"), &sent), reading, "{sent:?}");
            assert_eq!(may_pass(method("POST"), &sent), writing, "{sent:?}");
        }
    }

    #[test]
    fn a_connector_says_how_long_its_call_may_take() {
        let read = |text: &str| {
            let args = Value::from_json(text.as_bytes()).unwrap();
            timeout(&args).map(|span| span.as_millis()).map_err(|error| error.status)
        };
        assert_eq!(read("{}"), Ok(1_800_000));
        assert_eq!(read(r#"{"connector_params":{"timeout":2.5}}"#), Ok(2_500));
        assert_eq!(read(r#"{"connector_params":{"skip_polling":true}}"#), Ok(1_800_000));
        assert_eq!(read(r#"{"connector_params":{"timeout":86400}}"#), Ok(1_800_000));
        for wrong in ["0", "-1", "31536001", "[]"] {
            let text = format!(r#"{{"connector_params":{{"timeout":{wrong}}}}}"#);
            assert_eq!(read(&text), Err(Status::InvalidArgument), "{wrong}");
        }
    }
}
