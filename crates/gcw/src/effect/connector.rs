//! Connectors, and other executions.

use std::sync::Arc;

use jobmill_model::machine::{ConnectorCall, Effect};
use jobmill_model::value as model;

use super::{Await, Request};
use crate::fault::{Answer, Fault};
use crate::value::Value;

/// A connector's effect; `args` is a map by name or a list by position.
///
/// # Errors
/// `TypeError` for arguments without a JSON form.
pub fn call(name: &Arc<str>, args: &Value) -> Answer<(Await, Effect)> {
    let args = match args {
        Value::Null => model::Value::map::<&str>([]),
        Value::Map(_) | Value::List(_) => args
            .to_json()
            .map_err(|why| Fault::of_type(format!("the arguments of {name} hold {}", why.0)))?,
        other => {
            let message = format!("the arguments of {name} are a {}", other.type_name());
            return Err(Fault::of_type(message));
        }
    };
    let call = ConnectorCall { method: name.to_string(), args };
    Ok((Await::Connector(name.clone()), Effect::Connector(call)))
}

/// `experimental.executions.*` goes the way of the connectors, by its own name.
pub(super) fn executions(request: &Request<'_>) -> Answer<(Await, Effect)> {
    if let Some(arguments) = request.given("arguments")
        && arguments.as_list().is_none()
    {
        return Err(request.mistyped("arguments", "a list", arguments));
    }
    let named = request.function.params.iter().zip(request.values);
    let given = named.filter_map(|(param, value)| Some((param.name, value.clone()?)));
    call(&Arc::from(request.function.name), &Value::map(given))
}

/// The result of a connector, or the error that a handler sees.
pub(super) fn answer(value: &model::Value) -> Answer {
    let map = value.as_map();
    if let Some(error) = map.and_then(|map| map.get("error")) {
        return Err(Fault::raised(Value::from(error)));
    }
    Ok(map.and_then(|map| map.get("result")).map_or(Value::Null, Value::from))
}
