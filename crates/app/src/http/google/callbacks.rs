//! `…/executions/{execution}/callbacks`: what an execution waits for, and the addresses
//! themselves.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{HeaderMap, Method, StatusCode, Uri};
use jobmill_engine::CalledBack;
use jobmill_google::wire::callback::Callback;
use jobmill_google::wire::page::Sizes;
use jobmill_google::wire::{Error, Status, execution};
use jobmill_model::{JobId, Map, Value};
use utoipa_axum::router::OpenApiRouter;

use super::super::body::Posted;
use super::super::refusal::Refusal;
use super::super::reply::{self, Answer};
use super::super::room::{Room, Shared};
use super::asked::{Names, definition};
use super::executions;
use super::listing::Listing;

const SIZES: Sizes = Sizes { usual: 100, most: 100 };

pub(crate) fn routes(executions: &str) -> OpenApiRouter<Arc<Room>> {
    let callbacks = format!("{executions}/{{execution}}/callbacks");
    OpenApiRouter::new()
        .route(&callbacks, get(list_callbacks))
        .route(&format!("{callbacks}/{{callback}}"), any(call_back))
}

async fn list_callbacks(State(room): Shared, names: Names<4>, uri: Uri) -> Answer {
    let (name, job) = executions::find(&room, names.workflow(), &names.0[3]).await?;
    let listing = Listing::read(&format!("{name}/callbacks"), &uri, &[], SIZES)?;
    let opened = room.engine.callbacks(&definition(&name.parent)?, job.id).await?;
    let opened = opened.unwrap_or_default();
    let skip = listing.skip()?;
    let rows = opened.iter().skip(skip).take(listing.size).map(|callback| {
        let payloads = callback.payloads.iter().map(|payload| payload.as_str()).collect();
        let waiters = u32::from(callback.is_awaited);
        let (id, method) = (&*callback.id, &*callback.method);
        Callback { parent: &name, id, method, payloads, waiters }.to_value()
    });
    let rows: Vec<Value> = rows.collect();
    let end = skip + rows.len();
    let next = (end < opened.len()).then(|| end.to_string());
    Ok(reply::json(&listing.answer("callbacks", rows, next)))
}

/// Takes what is sent to an address; the answer to what is on disk is empty.
async fn call_back(
    State(room): Shared,
    names: Names<5>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    posted: Posted,
) -> Answer {
    let [.., id, callback] = &names.0;
    let workflow = names.workflow();
    let no_callback = || {
        let name = workflow.execution(id);
        Refusal::from(Error::not_found(format!(
            "callback {name}/callbacks/{callback} was not found"
        )))
    };
    let id: JobId = id.parse().map_err(|_| no_callback())?;
    let base = room.engine.public_url().unwrap_or_default();
    let request = Value::map([
        ("method", Value::from(method.as_str())),
        ("url", format!("{base}{uri}").into()),
        ("query", query(&uri)),
        ("headers", listed(&headers)),
        ("body", body(&headers, &posted)),
    ]);
    let definition = definition(&workflow)?;
    let called = room.engine.call_back(&definition, id, callback, method.as_str(), request).await?;
    match called {
        CalledBack::Done => Ok(StatusCode::OK.into_response()),
        CalledBack::Unknown => Err(no_callback()),
        CalledBack::WrongMethod(expected) => Ok(wrong_method(&method, &expected)),
        CalledBack::Ended(state) => {
            let state = execution::state(state);
            let message = format!("the execution is {state}; nothing waits here any more");
            Ok(refused(StatusCode::GONE, Status::FailedPrecondition, message))
        }
    }
}

fn wrong_method(method: &Method, expected: &str) -> Response {
    let message = format!("this callback takes {expected}, not {method}");
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = refused(status, Status::FailedPrecondition, message);
    if let Ok(expected) = HeaderValue::from_str(expected) {
        response.headers_mut().insert(ALLOW, expected);
    }
    response
}

/// A refusal with a status of HTTP that none of Google's codes stands for.
fn refused(http: StatusCode, status: Status, message: String) -> Response {
    let error = Value::map([
        ("code", Value::from(u32::from(http.as_u16()))),
        ("message", message.into()),
        ("status", status.as_str().into()),
    ]);
    let mut response = reply::json(&Value::map([("error", error)]));
    *response.status_mut() = http;
    response
}

/// Parameters by name; the later of two with one name.
fn query(uri: &Uri) -> Value {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    Value::map(pairs.map(|(name, value)| (name.into_owned(), Value::from(&*value))))
}

/// Headers by name, in the spelling of most senders; several of one name with commas.
fn listed(headers: &HeaderMap) -> Value {
    let mut map = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values: Vec<_> =
            values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        map.insert(canonical(name.as_str()), values.join(", ").into());
    }
    map.into()
}

/// `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

/// JSON where it says so and is, else text; nothing is `null`.
fn body(headers: &HeaderMap, posted: &Posted) -> Value {
    let bytes = posted.bytes();
    if bytes.is_empty() {
        return Value::Null;
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = essence == "application/json" || essence.ends_with("+json");
    let json = is_json.then(|| Value::from_json(bytes).ok()).flatten();
    json.unwrap_or_else(|| String::from_utf8_lossy(bytes).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_named_as_most_senders_spell_them() {
        assert_eq!(canonical("content-type"), "Content-Type");
        assert_eq!(canonical("x--a"), "X--A");
    }
}
