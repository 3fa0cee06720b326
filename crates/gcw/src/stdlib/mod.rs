//! The standard library: one value per function with its name, signature, doc, examples and
//! body. The examples are run by the tests.
//!
//! Functions that touch the world have no body here; they name the effect they become.

mod base64;
mod events;
mod executions;
mod expressions;
mod hash;
pub mod http;
mod json;
mod list;
mod map;
mod math;
pub mod retry;
mod sys;
mod text;
mod text_regex;
mod time;
mod uuid;

pub use text::url_encode;
pub use time::parse as parse_time;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jobmill_model::machine::Seed;

use crate::fault::{Answer, Fault};
use crate::limits::Limits;
use crate::value::{Map, Value};

/// A function of the standard library.
pub struct Function {
    /// Its dotted name.
    pub name: &'static str,
    /// Its parameters in the order of positional arguments.
    pub params: &'static [Param],
    /// What it does, a sentence, with the mark of its evidence.
    pub doc: &'static str,
    /// Expressions and the JSON they give; `!Tag` stands for an error of that tag.
    pub examples: &'static [(&'static str, &'static str)],
    /// What it does.
    pub body: Body,
}

/// A parameter.
pub struct Param {
    /// Its name, which is the key under `args`.
    pub name: &'static str,
    /// Whether a call must give it.
    pub is_required: bool,
}

/// What a function does.
pub enum Body {
    /// Computes.
    Pure(fn(&Args<'_>) -> Answer),
    /// Asks the world; stands only in a `call` step.
    Effect(EffectKind),
    /// Reads the clock; stands anywhere.
    Clock,
}

/// What a function that touches the world asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectKind {
    /// `http.*`, with the method if the name gives it.
    Http(Option<&'static str>),
    /// `sys.log`
    Log,
    /// `sys.sleep`
    Sleep,
    /// `sys.sleep_until`
    SleepUntil,
    /// `events.create_callback_endpoint`
    CreateCallback,
    /// `events.await_callback`
    AwaitCallback,
    /// `experimental.executions.*`
    Executions,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A parameter that a call must give.
const fn required(name: &'static str) -> Param {
    Param { name, is_required: true }
}

/// A parameter that a call may leave out.
const fn optional(name: &'static str) -> Param {
    Param { name, is_required: false }
}

/// What an execution brings with it: its variables, its seed, its limits.
#[derive(Debug)]
pub struct Context {
    /// Built-in and user variables, shared by all executions.
    pub env: Arc<Map>,
    /// The variables of this execution; they win.
    pub own_env: Map,
    /// Where chance comes from.
    pub seed: Seed,
    /// How often chance was asked.
    pub draws: Cell<u64>,
    /// The numbers in force.
    pub limits: Arc<Limits>,
    /// Bytes that functions and operators went through since somebody looked.
    pub work: Cell<u64>,
}

impl Context {
    /// A context to which nothing has happened yet.
    #[must_use]
    pub fn new(env: Arc<Map>, own_env: Map, seed: Seed, limits: Arc<Limits>) -> Self {
        Self { env, own_env, seed, draws: Cell::new(0), limits, work: Cell::new(0) }
    }

    /// Accounts for bytes that were gone through.
    pub fn worked(&self, bytes: usize) {
        self.work.set(self.work.get().saturating_add(bytes as u64));
    }
}

/// The arguments of one call.
pub struct Args<'a> {
    function: &'static Function,
    values: &'a [Option<Value>],
    /// The execution's context.
    pub context: &'a Context,
}

impl<'a> Args<'a> {
    /// Arguments in the order of the parameters.
    #[must_use]
    pub fn new(
        function: &'static Function,
        values: &'a [Option<Value>],
        context: &'a Context,
    ) -> Self {
        Self { function, values, context }
    }

    /// The argument at a place; `null` if it was not given.
    #[must_use]
    pub fn value(&self, at: usize) -> &'a Value {
        const NULL: &Value = &Value::Null;
        self.values.get(at).and_then(Option::as_ref).unwrap_or(NULL)
    }

    /// The argument at a place, if it was given and is not `null`.
    #[must_use]
    pub fn given(&self, at: usize) -> Option<&'a Value> {
        self.values.get(at)?.as_ref().filter(|value| !matches!(value, Value::Null))
    }

    /// A `TypeError` about the argument at a place.
    #[must_use]
    pub fn mistyped(&self, at: usize, expecting: &str) -> Box<Fault> {
        Fault::of_type(format!(
            "argument '{}' of {}() must be {expecting}, got: {}",
            self.function.params.get(at).map_or("?", |param| param.name),
            self.function.name,
            self.value(at).message_name()
        ))
    }

    /// A `ValueError` about the argument at a place.
    #[must_use]
    pub fn invalid(&self, at: usize, why: impl std::fmt::Display) -> Box<Fault> {
        let name = self.function.params.get(at).map_or("?", |param| param.name);
        Fault::of_value(format!("argument '{name}' of {}(): {why}", self.function.name))
    }

    /// A string.
    pub fn text(&self, at: usize) -> Answer<&'a Arc<str>> {
        match self.value(at) {
            Value::String(text) => Ok(text),
            _ => Err(self.mistyped(at, "a string")),
        }
    }

    /// A string, or what stands for it when it is not given.
    pub fn text_or(&self, at: usize, default: &'static str) -> Answer<&'a str> {
        match self.given(at) {
            None => Ok(default),
            Some(_) => self.text(at).map(|text| &**text),
        }
    }

    /// A boolean, or what stands for it when it is not given.
    pub fn flag_or(&self, at: usize, default: bool) -> Answer<bool> {
        match self.given(at) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.mistyped(at, "a boolean")),
        }
    }

    /// A number.
    pub fn number(&self, at: usize) -> Answer<f64> {
        self.value(at).as_number().ok_or_else(|| self.mistyped(at, "a number"))
    }

    /// An integer.
    pub fn int(&self, at: usize) -> Answer<i64> {
        match self.value(at) {
            Value::Int(number) => Ok(*number),
            _ => Err(self.mistyped(at, "an integer")),
        }
    }

    /// Bytes.
    pub fn bytes(&self, at: usize) -> Answer<&'a [u8]> {
        match self.value(at) {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.mistyped(at, "bytes")),
        }
    }

    /// A list.
    pub fn list(&self, at: usize) -> Answer<&'a crate::value::List> {
        match self.value(at) {
            Value::List(list) => Ok(list),
            _ => Err(self.mistyped(at, "a list")),
        }
    }

    /// A map.
    pub fn map(&self, at: usize) -> Answer<&'a Map> {
        match self.value(at) {
            Value::Map(map) => Ok(map),
            _ => Err(self.mistyped(at, "a map")),
        }
    }
}

impl Function {
    /// Calls a function without effects.
    ///
    /// # Errors
    /// A missing argument is a `TypeError`; else what the function raises.
    pub fn call(&self, args: &Args<'_>) -> Answer {
        for (at, param) in self.params.iter().enumerate() {
            if param.is_required && args.values.get(at).is_none_or(Option::is_none) {
                return Err(missing(self.name, param.name));
            }
        }
        match &self.body {
            Body::Pure(body) => body(args),
            Body::Effect(_) | Body::Clock => {
                Err(Fault::of_type(format!("{}() cannot be called in an expression", self.name)))
            }
        }
    }
}

/// A `TypeError` for an argument that was not given.
#[must_use]
pub fn missing(function: &str, param: &str) -> Box<Fault> {
    Fault::of_type(format!("{function}() is missing its argument '{param}'"))
}

const AREAS: [&[Function]; 16] = [
    base64::FUNCTIONS,
    events::FUNCTIONS,
    executions::FUNCTIONS,
    expressions::FUNCTIONS,
    hash::FUNCTIONS,
    http::FUNCTIONS,
    json::FUNCTIONS,
    list::FUNCTIONS,
    map::FUNCTIONS,
    math::FUNCTIONS,
    retry::FUNCTIONS,
    sys::FUNCTIONS,
    text::FUNCTIONS,
    text_regex::FUNCTIONS,
    time::FUNCTIONS,
    uuid::FUNCTIONS,
];

/// Every function.
pub fn functions() -> impl Iterator<Item = &'static Function> {
    AREAS.iter().flat_map(|area| area.iter())
}

/// The function of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Function> {
    static BY_NAME: OnceLock<BTreeMap<&'static str, &'static Function>> = OnceLock::new();
    let by_name = BY_NAME.get_or_init(|| functions().map(|one| (one.name, one)).collect());
    by_name.get(name).copied()
}

/// Whether a dotted name begins with an area of the library, so that it cannot be a variable's
/// member by mistake only.
#[must_use]
pub fn is_area(name: &str) -> bool {
    functions().any(|function| function.name.split_once('.').is_some_and(|(area, _)| area == name))
}
