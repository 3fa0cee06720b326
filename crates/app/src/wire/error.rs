//! The short form of a failure.

use jobmill_model::Job;
use jobmill_model::job::Failure;
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, in short.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct Error<'a> {
    /// A stable name.
    #[schema(value_type = String, example = "InvalidInput")]
    r#type: &'a str,
    /// What happened, for a reader.
    #[schema(value_type = String, example = "the result would have more than 10000000 entries")]
    message: &'a str,
}

impl<'a> Error<'a> {
    pub(crate) const CANCELLED: Error<'static> =
        Error { r#type: "Cancelled", message: "the job was cancelled" };

    /// Why a job failed, if it did.
    pub(crate) fn of(job: &'a Job) -> Option<Self> {
        job.error.as_ref().map(Self::from)
    }
}

impl<'a> From<&'a Failure> for Error<'a> {
    fn from(failure: &'a Failure) -> Self {
        Self { r#type: &failure.code, message: &failure.message }
    }
}
