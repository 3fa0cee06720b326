//! A flow as it is shown to people, and its declaration.

use jobmill_engine::FlowCard;
use jobmill_model::queue::Name;
use jobmill_model::{Declaration, Problem, Span, Value, limits};
use serde::Serialize;
use utoipa::ToSchema;

use super::lease::read_span;
use super::reader::Reader;

/// A registered or a declared flow.
#[derive(Serialize, ToSchema)]
#[schema(as = Flow)]
pub(crate) struct Flow<'a> {
    /// The name to submit jobs under.
    #[schema(value_type = String, example = "expand_reduce_flow")]
    name: &'a str,
    /// What it does, in one sentence.
    #[schema(value_type = String)]
    about: &'a str,
    /// The JSON Schema (2020-12) of its input.
    #[schema(value_type = Value)]
    input_schema: &'a Value,
    /// The JSON Schema (2020-12) of its params.
    #[schema(value_type = Value)]
    params_schema: &'a Value,
    /// Of a declared flow: what its jobs have that do not say otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    declared: Option<Defaults>,
}

/// What jobs of a declared flow have that do not say otherwise.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowDefaults)]
struct Defaults {
    /// How many tries there may be.
    max_attempts: u32,
    /// The time limit of one try, as a duration.
    timeout: Option<String>,
    /// How long a worker keeps a job without a heartbeat, as a duration.
    #[schema(example = "30s")]
    lease: String,
}

impl<'a> From<&'a (FlowCard, Option<Declaration>)> for Flow<'a> {
    fn from((card, declaration): &'a (FlowCard, Option<Declaration>)) -> Self {
        let declared = declaration.as_ref().map(|declaration| Defaults {
            max_attempts: declaration.max_attempts,
            timeout: declaration.timeout.map(|span| span.to_string()),
            lease: declaration.lease.to_string(),
        });
        Self {
            name: card.name.as_str(),
            about: &card.about,
            input_schema: &card.input_schema,
            params_schema: &card.params_schema,
            declared,
        }
    }
}

/// A declaration of a flow that workers outside the server perform.
#[derive(ToSchema)]
#[schema(as = FlowDeclaration)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Declared {
    /// What it does, in one sentence.
    #[schema(example = "Resizes a picture.")]
    about: Option<String>,
    /// The JSON Schema of its input; every submission is checked against it.
    #[schema(value_type = Option<Value>)]
    input_schema: (),
    /// The JSON Schema of its params.
    #[schema(value_type = Option<Value>)]
    params_schema: (),
    /// How many tries a job has that does not say.
    #[schema(minimum = 1, maximum = 1000, default = 3)]
    max_attempts: Option<u32>,
    /// The time limit of one try of a job that does not say, as a duration.
    #[schema(example = "5m")]
    timeout: Option<String>,
    /// How long a worker keeps a job without a heartbeat, as a duration.
    #[schema(default = "30s")]
    lease: Option<String>,
}

/// Reads a declaration. With a problem noted, what it answers is of no use.
pub(crate) fn read(body: &Value, name: Name, problems: &mut Vec<Problem>) -> Declaration {
    let mut declaration = Declaration::new(name);
    let Some(mut reader) = Reader::object(body, "", problems) else { return declaration };
    reader.only(&["about", "input_schema", "params_schema", "max_attempts", "timeout", "lease"]);
    if let Some(about) = reader.text("about") {
        if about.len() > limits::MESSAGE_BYTES {
            reader.refuse("about", format!("at most {} bytes", limits::MESSAGE_BYTES));
        }
        about.clone_into(&mut declaration.about);
    }
    if let Some(attempts) = reader.whole("max_attempts", 1..=i64::from(limits::MAX_ATTEMPTS)) {
        declaration.max_attempts = u32::try_from(attempts).unwrap_or(limits::MAX_ATTEMPTS);
    }
    declaration.timeout = reader.span("timeout", limits::TIMEOUT_MILLIS);
    if declaration.timeout == Some(Span::ZERO) {
        reader.refuse("timeout", "expected a duration above 0s");
    }
    declaration.lease = read_span(&mut reader, "lease").unwrap_or(declaration.lease);
    let mut schema = |field: &str| {
        let schema = reader.value(field)?.to_json();
        if schema.as_str().len() > limits::SCHEMA_BYTES {
            reader.refuse(field, format!("at most {} bytes", limits::SCHEMA_BYTES));
        }
        Some(schema)
    };
    let (input, params) = (schema("input_schema"), schema("params_schema"));
    declaration.input_schema = input.unwrap_or(declaration.input_schema);
    declaration.params_schema = params.unwrap_or(declaration.params_schema);
    declaration
}
