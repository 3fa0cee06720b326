//! An id as its 36 characters.

use jobmill_model::JobId;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

/// A job's id: a UUID of version 7, so that ids sort by the time of their submission.
#[derive(ToSchema)]
#[schema(value_type = String, format = "uuid", example = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42")]
pub(crate) struct Id(#[schema(inline)] pub(crate) JobId);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.encode(&mut [0; 36]))
    }
}
