//! A step of a worker outside and its result.

use jobmill_model::Json;
use jobmill_model::queue::Name;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::job::raw;

/// A step and its result.
#[derive(Serialize, ToSchema)]
#[schema(as = Effect)]
pub(crate) struct Effect<'a> {
    /// The step.
    #[schema(value_type = String, example = "charge-card")]
    name: &'a str,
    /// What it came to.
    #[schema(value_type = Value)]
    value: &'a RawValue,
}

impl<'a> Effect<'a> {
    pub(crate) fn new(name: &'a Name, value: &'a Json) -> Self {
        Self { name: name.as_str(), value: raw(value) }
    }
}
