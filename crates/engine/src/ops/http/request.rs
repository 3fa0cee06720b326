//! From a call to a request, and from a redirect to the next request.

use bytes::Bytes;
use jobmill_model::Fault;
use jobmill_model::machine::HttpCall;
use reqwest::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, PROXY_AUTHORIZATION, TRANSFER_ENCODING, UPGRADE,
};
use reqwest::{Client, Method, Request, Response, StatusCode, Url};

/// Makes the request of a call; `key` tells its receiver a repetition.
pub(super) fn request(client: &Client, call: &HttpCall, key: &str) -> Result<Request, Fault> {
    let mut request =
        client.request(method(&call.method)?, url(call)?).headers(headers(call, key)?);
    if let Some(body) = &call.body {
        request = request.body(Bytes::from_owner(body.clone()));
    }
    request.build().map_err(|_| invalid("the URL and the headers do not make a request"))
}

/// The host of a URL with its port, if it names one; never a user's name or password.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or(host.to_owned(), |port| format!("{host}:{port}"))
}

fn invalid(text: impl std::fmt::Display) -> Fault {
    Fault::last("ValueError", format!("make the call: {text}"))
}

fn method(text: &str) -> Result<Method, Fault> {
    let method = Method::from_bytes(text.as_bytes()).ok();
    let method = method.filter(|method| *method != Method::CONNECT);
    method.ok_or_else(|| invalid(format_args!("{text:?} is no method to call with")))
}

fn url(call: &HttpCall) -> Result<Url, Fault> {
    // The text itself is not shown: it may hold a password.
    let read = Url::parse(&call.url);
    let mut url = read.map_err(|error| invalid(format_args!("its URL is not valid: {error}")))?;
    if !is_http(&url) {
        return Err(invalid("its URL begins neither with http:// nor with https://"));
    }
    if !call.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&call.query);
    }
    Ok(url)
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// The call's headers without those that say where a message ends, which the client knows better.
fn headers(call: &HttpCall, key: &str) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (name, value) in &call.headers {
        let bad = || invalid(format_args!("its header {name:?} is not valid"));
        let header = HeaderName::try_from(name).map_err(|_| bad())?;
        let value = HeaderValue::try_from(value).map_err(|_| bad())?;
        headers.append(header, value);
    }
    for framing in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(framing);
    }
    let key = HeaderValue::try_from(key).map_err(|_| invalid("its key fits no header"))?;
    headers.entry("idempotency-key").or_insert(key);
    Ok(headers)
}

/// The request that a redirect asks for, by the rules that browsers follow.
///
/// A 303 is followed with `GET`, and so is a 301 or 302 after a `POST`; everything else is sent
/// again as it was. What proves who is calling is not shown to another host, port or scheme.
pub(super) fn next(request: &Request, answer: &Response) -> Option<Request> {
    let url = target(request.url(), answer)?;
    let mut next = request.try_clone()?;
    if becomes_get(request.method(), answer.status()) {
        *next.method_mut() = Method::GET;
        *next.body_mut() = None;
        next.headers_mut().remove(CONTENT_TYPE);
    }
    if url.origin() != request.url().origin() {
        for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST] {
            next.headers_mut().remove(secret);
        }
    }
    *next.url_mut() = url;
    Some(next)
}

fn target(from: &Url, answer: &Response) -> Option<Url> {
    let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = answer.headers().get(LOCATION).filter(|_| is_redirect)?;
    let mut url = from.join(location.to_str().ok()?).ok().filter(is_http)?;
    // It cannot fail for a URL that has a host.
    let _ = (url.set_username(""), url.set_password(None));
    Some(url)
}

fn becomes_get(method: &Method, status: StatusCode) -> bool {
    match status.as_u16() {
        303 => *method != Method::HEAD,
        301 | 302 => *method == Method::POST,
        _ => false,
    }
}
