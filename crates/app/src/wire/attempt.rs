//! A failed attempt.

use jobmill_model::job::FailedAttempt;
use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;

/// A failed attempt of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct Attempt<'a> {
    /// The run it belongs to, from 1; a retry by hand opens a new one.
    run: u32,
    /// The attempt within the run, from 1.
    attempt: u32,
    /// A stable name of what went wrong.
    #[schema(value_type = String, example = "Timeout")]
    r#type: &'a str,
    /// What happened, for a reader.
    #[schema(value_type = String)]
    message: &'a str,
    failed_at: Moment,
    /// Where it happened, one frame a line; may be empty.
    #[schema(value_type = String)]
    trace: &'a str,
}

impl<'a> From<&'a FailedAttempt> for Attempt<'a> {
    fn from(attempt: &'a FailedAttempt) -> Self {
        Self {
            run: attempt.run,
            attempt: attempt.attempt,
            r#type: &attempt.code,
            message: &attempt.message,
            failed_at: Moment(attempt.at),
            trace: &attempt.trace,
        }
    }
}
