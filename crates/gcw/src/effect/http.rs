//! `http.*`: a call's arguments to a request, a response to `{body, code, headers}`.

use std::sync::Arc;

use jobmill_model::machine::{Effect, HttpAuth, HttpCall, HttpResponse};
use jobmill_model::value as model;

use super::Request;
use crate::fault::{Answer, Fault};
use crate::stdlib::url_encode;
use crate::value::{Map, Value};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
const TIMEOUT_SECONDS: f64 = 300.0;
const USER_AGENT: &str = "GoogleCloudWorkflows; (+https://cloud.google.com/workflows/docs)";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

pub(super) fn effect(method: Option<&'static str>, request: &Request<'_>) -> Answer<Effect> {
    let url = required_text(request, "url")?.to_owned();
    let scheme = url.split(':').next().unwrap_or("").to_ascii_lowercase();
    if !matches!(&*scheme, "http" | "https") || !url.contains("://") {
        return Err(request.invalid("url", "only http:// and https:// are supported"));
    }
    let mut headers = headers(request)?;
    let body = match request.given("body") {
        None => None,
        Some(body) => Some(encode(body, &mut headers, request)?),
    };
    add_user_agent(&mut headers);
    Ok(Effect::Http(HttpCall {
        method: match method {
            Some(method) => method.to_owned(),
            None => any_method(request)?,
        },
        query: query(request)?,
        headers,
        body: body.map(Arc::from),
        timeout_ms: timeout(request)?,
        response_bytes_max: request.limits.http_response_bytes,
        auth: auth(request, &url)?,
        private_service_name: request.text("private_service_name")?.map(str::to_owned),
        ca_certificate: request.text("ca_certificate")?.map(str::to_owned),
        url,
    }))
}

fn required_text<'a>(request: &Request<'a>, name: &str) -> Answer<&'a str> {
    request.text(name)?.ok_or_else(|| request.mistyped(name, "a string", &Value::Null))
}

fn any_method(request: &Request<'_>) -> Answer<String> {
    let method = required_text(request, "method")?.to_ascii_uppercase();
    if METHODS.contains(&&*method) {
        return Ok(method);
    }
    Err(request.invalid("method", format!("unknown method {method:?}")))
}

fn timeout(request: &Request<'_>) -> Answer<u64> {
    let seconds = match request.given("timeout") {
        None => TIMEOUT_SECONDS,
        Some(value) => {
            value.as_number().ok_or_else(|| request.mistyped("timeout", "a number", value))?
        }
    };
    let most = request.limits.http_timeout_seconds;
    if seconds > 0.0 && seconds <= most as f64 {
        return Ok((seconds * 1000.0).ceil() as u64);
    }
    Err(request.invalid("timeout", format!("must be above 0 and at most {most} seconds")))
}

fn map_of<'a>(request: &Request<'a>, name: &str) -> Answer<Option<&'a Map>> {
    match request.given(name) {
        None => Ok(None),
        Some(Value::Map(map)) => Ok(Some(map)),
        Some(other) => Err(request.mistyped(name, "a map", other)),
    }
}

fn headers(request: &Request<'_>) -> Answer<Vec<(String, String)>> {
    let mut lines = Vec::new();
    for (name, value) in map_of(request, "headers")?.into_iter().flat_map(Map::iter) {
        let text = value
            .scalar_text()
            .ok_or_else(|| request.mistyped("headers", "a map of strings", value))?;
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) || text.contains(['\r', '\n', '\0']) {
            return Err(request.invalid("headers", format!("{name:?} is not a valid header")));
        }
        lines.push((name.to_string(), text.to_string()));
    }
    Ok(lines)
}

fn add_user_agent(headers: &mut Vec<(String, String)>) {
    match headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        Some((_, value)) => *value = format!("{value} {USER_AGENT}"),
        None => headers.push(("User-Agent".to_owned(), USER_AGENT.to_owned())),
    }
}

fn query(request: &Request<'_>) -> Answer<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for (name, value) in map_of(request, "query")?.into_iter().flat_map(Map::iter) {
        let single = std::slice::from_ref(value);
        for value in value.as_list().unwrap_or(single) {
            let text = value.scalar_text().ok_or_else(|| {
                request.mistyped(
                    "query",
                    "a map of strings, numbers, booleans or lists of those",
                    value,
                )
            })?;
            pairs.push((name.to_string(), text.to_string()));
        }
    }
    Ok(pairs)
}

fn auth(request: &Request<'_>, url: &str) -> Answer<Option<HttpAuth>> {
    let Some(map) = map_of(request, "auth")? else { return Ok(None) };
    let kind = map.get("type").and_then(Value::as_str).unwrap_or("");
    if kind.eq_ignore_ascii_case("OIDC") {
        let audience = match map.get("audience") {
            None | Some(Value::Null) => url,
            Some(Value::String(audience)) => audience,
            Some(other) => {
                return Err(request.mistyped("auth", "a map with a string 'audience'", other));
            }
        };
        return Ok(Some(HttpAuth::Oidc { audience: audience.to_owned() }));
    }
    if !kind.eq_ignore_ascii_case("OAuth2") {
        return Err(request.invalid("auth", format!("unknown type {kind:?}")));
    }
    let mut scopes = Vec::new();
    for value in ["scope", "scopes"].into_iter().filter_map(|name| map.get(name)) {
        let single = std::slice::from_ref(value);
        for value in value.as_list().unwrap_or(single) {
            match value {
                Value::Null => {}
                Value::String(text) => {
                    let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
                    scopes.extend(parts.map(str::to_owned));
                }
                other => return Err(request.mistyped("auth", "a map with string scopes", other)),
            }
        }
    }
    if scopes.is_empty() {
        scopes.push(SCOPE.to_owned());
    }
    Ok(Some(HttpAuth::OAuth2 { scopes }))
}

/// Encodes the body by its content type, which is added where none is given.
fn encode(
    body: &Value,
    headers: &mut Vec<(String, String)>,
    request: &Request<'_>,
) -> Answer<Vec<u8>> {
    let given = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media = given.map(|(_, value)| media_type(value));
    match (media.as_deref(), body) {
        (None, Value::Bytes(bytes)) => {
            headers.push(("Content-Type".into(), "application/octet-stream".into()));
            Ok(bytes.to_vec())
        }
        (None, _) => {
            headers.push(("Content-Type".into(), "application/json; charset=utf-8".into()));
            json(body)
        }
        (Some(_), Value::Bytes(bytes)) => Ok(bytes.to_vec()),
        (Some(media), _) if is_json(media) => match body {
            Value::Map(_) | Value::List(_) => json(body),
            other => Err(request.mistyped("body", &format!("a map for {media}"), other)),
        },
        (Some("application/x-www-form-urlencoded"), Value::Map(map)) => form(map, request),
        (Some(_), Value::String(text)) => Ok(text.as_bytes().to_vec()),
        (Some(media), other) if media.starts_with("text/") || media.contains("urlencoded") => {
            Err(request.mistyped("body", &format!("a string for {media}"), other))
        }
        (Some(_), _) => json(body),
    }
}

fn json(body: &Value) -> Answer<Vec<u8>> {
    let value = body
        .to_json()
        .map_err(|why| Fault::of_type(format!("{} cannot be encoded as JSON", why.0)))?;
    Ok(value.to_string().into_bytes())
}

fn form(map: &Map, request: &Request<'_>) -> Answer<Vec<u8>> {
    let mut pairs = Vec::new();
    for (name, value) in map.iter() {
        let text = value
            .scalar_text()
            .ok_or_else(|| request.mistyped("body", "a map of scalars for a form", value))?;
        pairs.push(format!("{}={}", url_encode(name, "+"), url_encode(&text, "+")));
    }
    Ok(pairs.join("&").into_bytes())
}

fn media_type(value: &str) -> String {
    value.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn is_json(media: &str) -> bool {
    media == "application/json" || (media.starts_with("application/") && media.ends_with("+json"))
}

/// The value of a response, or the `HttpError` of a status of 400 and above. \[D/R\]
pub(super) fn response(value: &model::Value) -> Answer {
    let Some(response) = HttpResponse::from_value(value) else {
        let message = "SystemError: the answer of an HTTP call cannot be read";
        return Err(Fault::tagged(message, &["SystemError"]));
    };
    let headers = header_map(&response);
    let body = decode(&response);
    let code = Value::Int(response.status.into());
    if response.status < 400 {
        return Ok(Value::map([("body", body), ("code", code), ("headers", headers)]));
    }
    let message = format!("HTTP server responded with error code {}", response.status);
    let map = Value::map([
        ("message", Value::from(message.as_str())),
        ("code", code),
        ("headers", headers),
        ("body", body),
        ("tags", Value::list(vec![Value::from("HttpError")])),
    ]);
    Err(Fault::of(map, &message))
}

/// Header names in canonical case \[R\]; lines of one name are joined.
fn header_map(response: &HttpResponse) -> Value {
    let mut map = Map::default();
    for (name, value) in &response.headers {
        let name: Arc<str> = canonical(name).into();
        let joined = match map.get(&name).and_then(Value::as_str) {
            Some(first) => format!("{first}, {value}"),
            None => value.clone(),
        };
        map.insert(name, Value::from(joined));
    }
    map.into()
}

fn canonical(name: &str) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.chars().next().map_or(0, char::len_utf8));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

fn decode(response: &HttpResponse) -> Value {
    let header =
        response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media = header.map_or(String::new(), |(_, value)| media_type(value));
    if is_json(&media) {
        if response.body.is_empty() {
            return Value::Null;
        }
        if let Ok(value) = model::Value::from_json(&response.body) {
            return Value::from(&value);
        }
    }
    match std::str::from_utf8(&response.body) {
        Ok(text) => Value::from(text),
        Err(_) => Value::bytes(response.body.as_slice()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(body: &[u8], content_type: &str) -> Value {
        let headers = vec![("CONTENT-type".to_owned(), content_type.to_owned())];
        let answer = HttpResponse { status: 200, headers, body: body.to_vec() };
        let value = response(&answer.to_value()).unwrap();
        value.as_map().unwrap().get("body").unwrap().clone()
    }

    #[test]
    fn bodies_are_decoded_by_their_type() {
        assert_eq!(received(b"{\"a\":1}", "application/json"), Value::map([("a", Value::Int(1))]));
        assert_eq!(received(b"", "application/json"), Value::Null);
        assert_eq!(received(b"{broken", "application/json"), Value::from("{broken"));
        assert_eq!(received(b"plain", "text/plain"), Value::from("plain"));
        assert_eq!(received(&[0xff, 0x00], "image/png"), Value::bytes(vec![0xff, 0x00]));
    }

    #[test]
    fn header_names_are_canonical() {
        assert_eq!(canonical("x-request-ID"), "X-Request-Id");
    }
}
