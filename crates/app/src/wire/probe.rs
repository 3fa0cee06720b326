//! The answer of a probe.

use serde::Serialize;
use utoipa::ToSchema;

/// The answer of a probe that is content.
#[derive(Serialize, ToSchema)]
pub(crate) struct Probe {
    #[schema(value_type = String, example = "ok")]
    pub(crate) status: &'static str,
}
