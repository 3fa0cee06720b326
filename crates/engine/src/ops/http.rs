//! Makes HTTP calls: the one way out of the process.
//!
//! Whatever the status, an answer is an outcome. A call fails, with these codes:
//!
//! | code | why |
//! |---|---|
//! | `ConnectionFailedError` | never connected: no such name, refused, or no TLS handshake |
//! | `ConnectionError` | the connection broke before the answer was complete |
//! | `TimeoutError` | the answer was not complete in time |
//! | `ForbiddenAddress` | the [gate](super::gate) does not let the call through |
//! | `ResponseTooLarge` | the answer's body is larger than the call allows |
//! | `TooManyRedirects` | more than [`REDIRECTS`] in a row |
//! | `ValueError` | the URL, a header or the certificate is not valid |
//! | `AuthError` | the call wants a token, and none can be had |
//! | `NotSupported` | the call wants to go through Service Directory |
//!
//! Redirects are followed as browsers do (see [`request::next`]), each through the gate again; a
//! redirect without a place to go to is the answer. Cookies are not kept, and bodies come as they
//! are sent. URLs, headers and bodies hold secrets: the log gets the method, the host, the status
//! and the time, and a failure's text no more than the host.

mod clients;
mod request;
mod resolve;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use jobmill_model::machine::{HttpCall, HttpResponse, Outcome};
use jobmill_model::{Fault, Span};
use reqwest::header::HeaderValue;
use reqwest::{Client, Request, Response};
use tracing::{debug, info};

use self::clients::Clients;
use self::resolve::{GatedResolver, Lookup};
use super::gate::{Gate, Refusal};
use super::outcome_of;
use crate::clock::Clock;
use crate::engine::Shared;

/// Redirects that one call follows at most.
const REDIRECTS: usize = 10;

/// Makes a machine's call.
pub(super) async fn perform(shared: Arc<Shared>, call: HttpCall, key: String) -> Outcome {
    let answer = match with_token(&shared, call).await {
        Ok(call) => shared.http.call(call, &key).await,
        Err(fault) => Err(fault),
    };
    outcome_of(answer.map(|answer| answer.to_value()))
}

/// The call with the token that it wants, in the place of any other.
async fn with_token(shared: &Shared, mut call: HttpCall) -> Result<HttpCall, Fault> {
    let remotes = shared.registry.workflows().map(|workflows| &workflows.remotes);
    let credentials = remotes.and_then(|remotes| remotes.credentials.as_ref());
    let Some((credentials, auth)) = credentials.zip(call.auth.take_if(|_| credentials.is_some()))
    else {
        return Ok(call);
    };
    let now = shared.clock.now();
    let token = credentials.token(&shared.token_http, &auth.into(), now).await?;
    call.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    call.headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    Ok(call)
}

/// Makes HTTP calls through the gate.
pub(crate) struct HttpClient {
    /// Nothing of it goes past this; without one it calls only what the operator has named.
    gate: Option<Gate>,
    clock: Arc<dyn Clock>,
    clients: Clients,
}

impl HttpClient {
    pub(crate) fn new(gate: Gate, clock: Arc<dyn Clock>) -> Self {
        Self::with_lookup(Some(gate), clock, Arc::new(resolve::system))
    }

    /// A client for addresses that come from the operator alone, such as that of the metadata
    /// server, which the gate closes to everybody.
    pub(crate) fn ungated(clock: Arc<dyn Clock>) -> Self {
        Self::with_lookup(None, clock, Arc::new(resolve::system))
    }

    fn with_lookup(gate: Option<Gate>, clock: Arc<dyn Clock>, lookup: Arc<Lookup>) -> Self {
        Self { gate, clock, clients: Clients::new(GatedResolver { gate, lookup }) }
    }

    /// Makes a call and reads its answer to the end. `key` goes with it as `Idempotency-Key`,
    /// unless the call has one of its own. Dropping the future ends the call.
    ///
    /// # Errors
    /// See the codes at the top of this file.
    pub(crate) async fn call(&self, call: HttpCall, key: &str) -> Result<HttpResponse, Fault> {
        refuse_what_is_missing(&call)?;
        let client = self.clients.trusting(call.ca_certificate.as_deref())?;
        let request = request::request(&client, &call, key)?;
        let (method, host) = (request.method().clone(), request::place(request.url()));
        let answer = self.follow(&client, request, call.response_bytes_max);
        self.in_time(&call, method.as_str(), &host, answer).await
    }

    /// Makes a call of which only the status and the headers of the answer matter: it follows no
    /// redirect and reads no body.
    ///
    /// # Errors
    /// See the codes at the top of this file.
    pub(crate) async fn knock(&self, call: HttpCall, key: &str) -> Result<HttpResponse, Fault> {
        let client = self.clients.trusting(None)?;
        let request = request::request(&client, &call, key)?;
        let (method, host) = (request.method().clone(), request::place(request.url()));
        let answer = async {
            self.check(&request)?;
            let answer = client.execute(request).await.map_err(|error| fault(&host, &error))?;
            Ok(head(&answer))
        };
        self.in_time(&call, method.as_str(), &host, answer).await
    }

    /// The answer to a call, or that it took too long; either goes into the log.
    async fn in_time(
        &self,
        call: &HttpCall,
        method: &str,
        host: &str,
        answer: impl Future<Output = Result<HttpResponse, Fault>>,
    ) -> Result<HttpResponse, Fault> {
        let limit = Span::from_millis(call.timeout_ms);
        let (begun, over) = (self.clock.monotonic(), self.clock.now().after(limit));
        let result = tokio::select! {
            biased;
            answer = answer => answer,
            () = self.clock.sleep_until(over) => Err(timed_out(host, limit)),
        };
        log(method, host, &result, self.clock.monotonic().saturating_sub(begun));
        result
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let host = request.url().host_str().unwrap_or_default();
        self.gate.map_or(Ok(()), |gate| gate.check_host(host))
    }

    async fn follow(
        &self,
        client: &Client,
        mut request: Request,
        bytes_max: u64,
    ) -> Result<HttpResponse, Fault> {
        let first = request::place(request.url());
        for _ in 0..=REDIRECTS {
            self.check(&request)?;
            let place = request::place(request.url());
            let again = request.try_clone().expect("a body of bytes can be sent again");
            let answer = client.execute(again).await.map_err(|error| fault(&place, &error))?;
            match request::next(&request, &answer) {
                Some(next) => request = next,
                None => return read(&place, answer, bytes_max).await,
            }
        }
        let text = format!("get an answer from {first}: it redirected more than {REDIRECTS} times");
        Err(Fault::last("TooManyRedirects", text))
    }
}

fn refuse_what_is_missing(call: &HttpCall) -> Result<(), Fault> {
    if call.auth.is_some() {
        let text = "get a token for the call: this server has no Google credentials; the settings \
                    `google_key` and `google_metadata` give it some";
        return Err(Fault::last("AuthError", text));
    }
    if call.private_service_name.is_some() {
        let text = "call through Service Directory: `private_service_name` comes with a later \
                    version; until then, call the service by its address";
        return Err(Fault::last("NotSupported", text));
    }
    Ok(())
}

async fn read(place: &str, mut answer: Response, bytes_max: u64) -> Result<HttpResponse, Fault> {
    let too_large = || {
        let text = format!("read the answer of {place}: its body is larger than {bytes_max} bytes");
        Fault::last("ResponseTooLarge", text)
    };
    let fits = |bytes: u64| bytes <= bytes_max;
    if !answer.content_length().is_none_or(fits) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault(place, &error))? {
        if !fits(body.len() as u64 + chunk.len() as u64) {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { body, ..head(&answer) })
}

/// The status and the headers of an answer.
fn head(answer: &Response) -> HttpResponse {
    let line = |(name, value): (&_, &_)| (String::from(AsRef::<str>::as_ref(name)), text(value));
    let headers = answer.headers().iter().map(line).collect();
    HttpResponse { status: answer.status().as_u16(), headers, body: Vec::new() }
}

/// A header's value as text; what is not UTF-8 is taken as Latin-1, as HTTP once was.
fn text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    std::str::from_utf8(bytes)
        .map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned)
}

fn fault(place: &str, error: &reqwest::Error) -> Fault {
    // The error itself would show the URL; its innermost cause does not know it.
    let mut cause = "no reason given".to_owned();
    let mut inner = error.source();
    while let Some(error) = inner {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return refusal.clone().into();
        }
        cause = error.to_string();
        inner = error.source();
    }
    match error.is_connect() {
        true => Fault::retry("ConnectionFailedError", format!("connect to {place}: {cause}")),
        false => {
            let text = format!("get the whole answer from {place}: {cause}");
            Fault::retry("ConnectionError", text)
        }
    }
}

fn timed_out(host: &str, limit: Span) -> Fault {
    let text = format!("get an answer from {host} within {limit}; more time may help");
    Fault::retry("TimeoutError", text)
}

fn log(method: &str, host: &str, result: &Result<HttpResponse, Fault>, took: Duration) {
    let millis = took.as_millis() as u64;
    match result {
        Ok(answer) => debug!(method, host, status = answer.status, millis, "http call"),
        Err(fault) => info!(method, host, code = %fault.code, millis, "http call failed"),
    }
}
