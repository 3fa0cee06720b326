//! `events.*`

use jobmill_model::machine::{CallbackEndpoint, Effect};
use jobmill_model::queue::Name;
use jobmill_model::value as model;

use super::{Await, Callbacks, Request, seconds_to_millis};
use crate::fault::Answer;
use crate::value::Value;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
const TIMEOUT_SECONDS: f64 = 43_200.0;

pub(super) fn create(request: &Request<'_>, name: Name) -> Answer<(Await, Effect)> {
    let method = request.text("http_callback_method")?.unwrap_or("POST").to_ascii_uppercase();
    if !METHODS.contains(&&*method) {
        let why = format!("unknown method {method:?}");
        return Err(request.invalid("http_callback_method", why));
    }
    let endpoint = CallbackEndpoint { name: name.clone(), method };
    Ok((Await::Callback(name), Effect::Callback(endpoint)))
}

pub(super) fn wait(request: &Request<'_>, callbacks: &dyn Callbacks) -> Answer<(Await, Effect)> {
    let callback = request.given("callback").unwrap_or(&Value::Null);
    let url = callback.as_map().and_then(|map| map.get("url")).and_then(Value::as_str);
    let Some(url) = url else {
        return Err(request.mistyped("callback", "a map with 'url'", callback));
    };
    let Some(name) = callbacks.name_of(url) else {
        let why = "no address that events.create_callback_endpoint() gave this execution";
        return Err(request.invalid("callback", why));
    };
    let timeout = match request.given("timeout") {
        None => TIMEOUT_SECONDS,
        Some(value) => {
            value.as_number().ok_or_else(|| request.mistyped("timeout", "a number", value))?
        }
    };
    if !(0.0..=request.limits.sleep_seconds as f64).contains(&timeout) {
        let most = request.limits.sleep_seconds;
        return Err(request.invalid("timeout", format!("must be between 0 and {most}")));
    }
    Ok((Await::ClockThenSignal(name, seconds_to_millis(timeout)), Effect::Clock))
}

/// What a callback gives the workflow: `{http_request, received_time, type}`. A signal that is
/// not such a map is taken as the request's body.
pub(super) fn received(signal: &model::Value) -> Value {
    if signal.as_map().is_some_and(|map| map.contains("http_request")) {
        return Value::from(signal);
    }
    let request = Value::map([("body", Value::from(signal))]);
    Value::map([("http_request", request), ("type", Value::from("HTTP"))])
}
