//! The states of a job as words of the canonical API.

use jobmill_model::State;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// Where a job stands. `completed`, `failed` and `cancelled` are final.
#[derive(ToSchema)]
#[schema(as = State, rename_all = "lowercase")]
#[expect(dead_code, reason = "it describes the words for the OpenAPI document")]
pub(crate) enum Words {
    Scheduled,
    Submitted,
    Running,
    Completed,
    Failed,
    Cancelled,
}

/// A state that is written as its word.
pub(crate) struct Word(pub(crate) State);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}
