//! A flow as it is shown to people.

use jobmill_engine::FlowCard;
use jobmill_model::Value;
use serde::Serialize;
use utoipa::ToSchema;

/// A registered flow.
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
    #[schema(value_type = Object)]
    input_schema: &'a Value,
    /// The JSON Schema (2020-12) of its params.
    #[schema(value_type = Object)]
    params_schema: &'a Value,
}

impl<'a> From<&'a FlowCard> for Flow<'a> {
    fn from(card: &'a FlowCard) -> Self {
        Self {
            name: card.name.as_str(),
            about: &card.about,
            input_schema: &card.input_schema,
            params_schema: &card.params_schema,
        }
    }
}
