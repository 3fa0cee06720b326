//! The outcome of a job. A large result is streamed, so this twin is only its frame.

use jobmill_model::{Job, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use super::id::Id;
use super::state::{Word, Words};

/// The outcome of a finished job: `result` where it is completed, else `error`.
#[derive(Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(crate) struct Outcome<'a> {
    id: Id,
    #[schema(value_type = Words)]
    status: Word,
    /// What the flow made. Only of a completed job.
    #[serde(skip)]
    #[schema(value_type = Option<Value>, required = false)]
    #[expect(dead_code, reason = "results are streamed; the field describes them")]
    result: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    error: Option<Error<'a>>,
}

impl<'a> Outcome<'a> {
    /// The outcome of a job that ended without a result.
    pub(crate) fn without_result(job: &'a Job) -> Self {
        let error = match job.state {
            State::Cancelled => Some(Error::CANCELLED),
            _ => Error::of(job),
        };
        Self { id: Id(job.id), status: Word(job.state), result: (), error }
    }

    /// The text before the result of a completed job; a closing brace follows the result.
    pub(crate) fn head(job: &Job) -> String {
        format!("{{\"id\":\"{}\",\"status\":\"{}\",\"result\":", job.id, job.state)
    }
}
