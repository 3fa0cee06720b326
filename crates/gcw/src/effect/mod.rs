//! Calls that touch the world, as pure data: arguments to an effect, an outcome to a value.

mod connector;
mod events;
mod http;
mod log;
mod time;

use std::sync::Arc;

use jobmill_model::Timestamp;
use jobmill_model::machine::{Effect, Outcome};
use jobmill_model::queue::Name;

use crate::fault::{Answer, Fault, error_map};
use crate::limits::Limits;
use crate::stdlib::{EffectKind, Function, missing};
use crate::value::Value;

pub use connector::call as connector;
pub use time::seconds_to_millis;

/// What a branch waits for.
#[derive(Debug, Clone)]
pub enum Await {
    /// The time, as seconds.
    Clock,
    /// The time, to sleep so many milliseconds from it.
    ClockThenSleep(i64),
    /// The time, to check that an instant is not too far.
    ClockThenSleepUntil(i64),
    /// The time, to wait for a signal so many milliseconds from it.
    ClockThenSignal(Name, i64),
    /// The end of a sleep.
    Sleep,
    /// A callback.
    Signal,
    /// The answer to an HTTP call.
    Http,
    /// A log entry's receipt.
    Log,
    /// A callback's address: its name.
    Callback(Name),
    /// A connector's answer.
    Connector(Arc<str>),
}

/// What an outcome means for the branch that waited for it.
#[derive(Debug)]
pub enum Reply {
    /// The call is done.
    Done(Value),
    /// Another effect comes first.
    Then(Await, Effect),
    /// The call is done: a callback's address, and the name of its signals.
    Address(Value, Name),
}

/// The arguments of a call that touches the world.
pub struct Request<'a> {
    /// The function.
    pub function: &'static Function,
    /// Its arguments in the order of the parameters.
    pub values: &'a [Option<Value>],
    /// The numbers in force.
    pub limits: &'a Limits,
}

impl<'a> Request<'a> {
    /// The argument of a name, if it was given and is not `null`.
    fn given(&self, name: &str) -> Option<&'a Value> {
        let at = self.function.params.iter().position(|param| param.name == name)?;
        self.values.get(at)?.as_ref().filter(|value| !matches!(value, Value::Null))
    }

    fn text(&self, name: &str) -> Answer<Option<&'a str>> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(name, "a string", other)),
        }
    }

    fn mistyped(&self, name: &str, expecting: &str, got: &Value) -> Box<Fault> {
        Fault::of_type(format!(
            "argument '{name}' of {}() must be {expecting}, got: {}",
            self.function.name,
            got.message_name()
        ))
    }

    fn invalid(&self, name: &str, why: impl std::fmt::Display) -> Box<Fault> {
        Fault::of_value(format!("argument '{name}' of {}(): {why}", self.function.name))
    }
}

/// Names that a call needs from its machine.
pub trait Callbacks {
    /// A name for the signals of a new callback address.
    fn next_name(&mut self) -> Name;
    /// The name of the signals of an address that was opened before.
    fn name_of(&self, url: &str) -> Option<Name>;
}

/// Turns a call into its first effect.
///
/// # Errors
/// `TypeError` and `ValueError` about the arguments.
pub fn ask(
    kind: EffectKind,
    request: &Request<'_>,
    callbacks: &mut dyn Callbacks,
) -> Answer<(Await, Effect)> {
    for (at, param) in request.function.params.iter().enumerate() {
        if param.is_required && request.values.get(at).is_none_or(Option::is_none) {
            return Err(missing(request.function.name, param.name));
        }
    }
    match kind {
        EffectKind::Http(method) => Ok((Await::Http, http::effect(method, request)?)),
        EffectKind::Log => Ok((Await::Log, log::effect(request)?)),
        EffectKind::Sleep => time::sleep(request),
        EffectKind::SleepUntil => time::sleep_until(request),
        EffectKind::CreateCallback => events::create(request, callbacks.next_name()),
        EffectKind::AwaitCallback => events::wait(request, callbacks),
        EffectKind::Executions => connector::executions(request),
    }
}

/// Turns an outcome into what the branch does with it.
///
/// # Errors
/// The error that the call ended with.
pub fn reply(waits: Await, outcome: Outcome, limits: &Limits) -> Answer<Reply> {
    match (waits, outcome) {
        (Await::Clock, Outcome::Clock(now)) => Ok(Reply::Done(time::seconds(now))),
        (Await::ClockThenSleep(millis), Outcome::Clock(now)) => {
            let until = Timestamp::from_millis(now.as_millis().saturating_add(millis));
            Ok(Reply::Then(Await::Sleep, Effect::Sleep { until }))
        }
        (Await::ClockThenSleepUntil(at), Outcome::Clock(now)) => time::until(at, now, limits),
        (Await::ClockThenSignal(name, millis), Outcome::Clock(now)) => {
            let until = Timestamp::from_millis(now.as_millis().saturating_add(millis));
            Ok(Reply::Then(Await::Signal, Effect::Signal { name, until: Some(until) }))
        }
        (Await::Sleep, Outcome::Woken) => Ok(Reply::Done(Value::Null)),
        (Await::Signal, Outcome::Signal(value)) => Ok(Reply::Done(events::received(&value))),
        (Await::Signal, Outcome::Woken) => {
            Err(Fault::tagged("TimeoutError: no callback was received in time", &["TimeoutError"]))
        }
        (Await::Http, Outcome::Done(value)) => http::response(&value).map(Reply::Done),
        (Await::Log, Outcome::Done(_)) => Ok(Reply::Done(Value::Null)),
        (Await::Callback(name), Outcome::Done(value)) => {
            Ok(Reply::Address(Value::from(&value), name))
        }
        (Await::Connector(_), Outcome::Done(value)) => connector::answer(&value).map(Reply::Done),
        (waits, Outcome::Failed { code, message }) => Err(failure(&waits, &code, &message)),
        (waits, outcome) => {
            let message = format!("SystemError: {outcome:?} does not answer {waits:?}");
            Err(Fault::tagged(message, &["SystemError"]))
        }
    }
}

/// The errors that an effect may end with by name; any other code is a `SystemError`.
const CODES: [&str; 9] = [
    "AuthError",
    "ConnectionError",
    "ConnectionFailedError",
    "OperationError",
    "ResponseTypeError",
    "SystemError",
    "TimeoutError",
    "TypeError",
    "ValueError",
];

fn failure(waits: &Await, code: &str, message: &str) -> Box<Fault> {
    if code == "ResourceLimitError" {
        return Fault::resource(message.trim_start_matches("ResourceLimitError: "));
    }
    let tag = CODES.iter().find(|known| **known == code).copied().unwrap_or("SystemError");
    let mut text = match message.starts_with(tag) {
        true => message.to_owned(),
        false => format!("{tag}: {message}"),
    };
    if let Await::Connector(name) = waits
        && !text.contains(&**name)
    {
        text = format!("{text} (in {name})");
    }
    if code != tag {
        let mut map = error_map(&text, &[tag]).as_map().cloned().unwrap_or_default();
        map.insert("status".into(), Value::from(code));
        return Fault::of(map.into(), &text);
    }
    Fault::tagged(text, &[tag])
}
