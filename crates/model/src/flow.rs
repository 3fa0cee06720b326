//! A flow that workers outside the server perform, as it was declared.

use crate::limits;
use crate::queue::Name;
use crate::time::Span;
use crate::value::Json;

/// What is known of a flow that workers outside the server perform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Its name.
    pub name: Name,
    /// What it does, for people; may be empty.
    pub about: String,
    /// The JSON Schema of its input.
    pub input_schema: Json,
    /// The JSON Schema of its params.
    pub params_schema: Json,
    /// How many attempts a job of it has that does not say.
    pub max_attempts: u32,
    /// The time limit of one attempt of a job that does not say.
    pub timeout: Option<Span>,
    /// How long a worker keeps a job of it without a heartbeat.
    pub lease: Span,
}

impl Declaration {
    /// A flow that takes any input, with every number at its default.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            name,
            about: String::new(),
            input_schema: Json::trusted("true"),
            params_schema: Json::trusted("true"),
            max_attempts: limits::DEFAULT_ATTEMPTS,
            timeout: None,
            lease: Span::from_millis(limits::LEASE_MILLIS),
        }
    }
}
