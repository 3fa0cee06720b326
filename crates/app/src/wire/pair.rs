//! An entry of a result.

use std::sync::Arc;

use jobmill_model::Value;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// An entry of a job's result.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pair {
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, example = "1 5")]
    pub(crate) key: Arc<str>,
    #[schema(value_type = Value, example = "2 6")]
    pub(crate) value: Value,
}

fn as_text<S: Serializer>(key: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(key)
}
