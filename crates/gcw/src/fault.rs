//! Errors at run time: the value a handler sees, and the places it came through.
//!
//! Tags and messages follow reference §0 and §9.

use std::sync::Arc;

use crate::source::place::Position;
use crate::value::Value;

/// An error on its way to a handler.
#[derive(Debug, Clone)]
pub struct Fault {
    /// What a handler sees: any value for `raise`, an error map otherwise.
    pub value: Value,
    /// Whether a handler may see it at all.
    pub is_catchable: bool,
    /// Where it happened, once that is known.
    pub position: Option<Position>,
    /// The first line of the context.
    pub context: Arc<str>,
}

/// The result of whatever can fail at run time.
pub type Answer<T = Value> = Result<T, Box<Fault>>;

/// An error map: `{message, tags}`.
#[must_use]
pub fn error_map(message: &str, tags: &[&str]) -> Value {
    let tags = tags.iter().map(|tag| Value::from(*tag)).collect();
    Value::map([("message", Value::from(message)), ("tags", Value::list(tags))])
}

impl Fault {
    /// An error map that a handler can catch.
    #[must_use]
    pub fn tagged(message: impl AsRef<str>, tags: &[&str]) -> Box<Self> {
        Self::of(error_map(message.as_ref(), tags), message.as_ref())
    }

    /// An error of this value; `context` is the first line of its context.
    #[must_use]
    pub fn of(value: Value, context: &str) -> Box<Self> {
        let context = Arc::from(context);
        Box::new(Self { value, is_catchable: true, position: None, context })
    }

    /// What `raise` does: any value. An error map keeps its own message as context.
    #[must_use]
    pub fn raised(value: Value) -> Box<Self> {
        let own = value.as_map().and_then(|map| {
            map.get("tags")?.as_list()?;
            Some(map.get("message")?.as_str()?.to_owned())
        });
        let context = own.unwrap_or_else(|| format!("RuntimeError: {value}"));
        Self::of(value, &context)
    }

    /// `TypeError`
    #[must_use]
    pub fn of_type(message: impl AsRef<str>) -> Box<Self> {
        Self::tagged(format!("TypeError: {}", message.as_ref()), &["TypeError"])
    }

    /// `ValueError`
    #[must_use]
    pub fn of_value(message: impl AsRef<str>) -> Box<Self> {
        Self::tagged(format!("ValueError: {}", message.as_ref()), &["ValueError"])
    }

    /// `KeyError` with its second tag. \[R\]
    #[must_use]
    pub fn missing_key(key: &str) -> Box<Self> {
        Self::tagged(format!("KeyError: key not found: {key}"), &["KeyError", "LookupError"])
    }

    /// `IndexError`
    #[must_use]
    pub fn index(message: impl AsRef<str>) -> Box<Self> {
        let message = format!("IndexError: {}", message.as_ref());
        Self::tagged(message, &["IndexError"])
    }

    /// `ZeroDivisionError` naming the operand types and the operation. \[D\]
    #[must_use]
    pub fn zero_division(left: &Value, symbol: &str, right: &Value) -> Box<Self> {
        let (left, right) = (left.message_name(), right.message_name());
        let message = format!("ZeroDivisionError: division by zero: {left} {symbol} {right}");
        Self::tagged(message, &["ZeroDivisionError"])
    }

    /// `RecursionError`
    #[must_use]
    pub fn recursion(limit: u64) -> Box<Self> {
        let message = format!("RecursionError: maximum call depth of {limit} exceeded");
        Self::tagged(message, &["RecursionError"])
    }

    /// A limit was hit: no handler sees it. \[D\]
    #[must_use]
    pub fn resource(message: impl AsRef<str>) -> Box<Self> {
        let message = format!("ResourceLimitError: {}", message.as_ref());
        let mut fault = Self::tagged(&message, &["ResourceLimitError"]);
        fault.is_catchable = false;
        fault
    }

    /// The same error with a place, unless it has one.
    #[must_use]
    pub fn at(mut self: Box<Self>, position: Position) -> Box<Self> {
        self.position.get_or_insert(position);
        self
    }
}
