//! What the commands that talk to a server have in common: a client, made from the settings.

use jobmill_model::{Map, Value};

use super::{Context, Failure};
use crate::boot;
use crate::client::{Address, Client};
use crate::config::{Calling, Flags, load};

/// Runs something that waits for a server, on this thread.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}

/// A client of the server that the settings name.
pub(super) fn client(context: &Context, flags: &Flags<Calling>) -> Result<Client, Failure> {
    let settings = load(&context.sources(flags))?.settings;
    let address: Address = settings.server.parse()?;
    let key = boot::given_key(&settings)?;
    Ok(Client::new(address, key))
}

/// A text as a part of a path.
pub(super) fn escaped(text: &str) -> String {
    let text: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    // A plus stands for itself in a path.
    text.replace('+', "%20")
}

/// A text of an object; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    field(value, name).and_then(Value::as_str).unwrap_or_default()
}

/// A number of an object as a person writes it; empty where there is none.
pub(super) fn number(value: &Value, name: &str) -> String {
    field(value, name).and_then(Value::as_int).map(|it| it.to_string()).unwrap_or_default()
}

/// A field of an object.
pub(super) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_map()?.get(name)
}

/// The items of a list answer.
pub(super) fn items(value: &Value) -> &[Value] {
    field(value, "items").and_then(Value::as_list).unwrap_or_default()
}

/// An object with the fields that have a value.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let set = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
    Value::from(set.collect::<Map>())
}
