//! The shapes of document 000's own routes.

use jobmill_model::job::FailedAttempt;
use jobmill_model::{JobId, State, Value};
use jobmill_store::{Pair, PairPage};
use serde::Serialize;
use utoipa::ToSchema;

use super::id::Id;
use super::moment::Moment;

/// A refusal on these routes.
#[derive(Serialize, ToSchema)]
#[schema(as = Document000Error)]
pub(crate) struct ErrorText<'a> {
    #[schema(value_type = String, example = "Job ID is required")]
    pub(crate) error: &'a str,
}

/// A failed attempt of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Document000Failure)]
pub(crate) struct FailureRow<'a> {
    job_id: Id,
    #[schema(value_type = String, example = "Timeout")]
    error_type: &'a str,
    time_occurred: Moment,
    #[schema(value_type = String)]
    stack_trace: String,
}

impl<'a> FailureRow<'a> {
    pub(crate) fn new(id: JobId, attempt: &'a FailedAttempt) -> Self {
        let FailedAttempt { code, message, trace, .. } = attempt;
        Self {
            job_id: Id(id),
            error_type: code,
            time_occurred: Moment(attempt.at),
            stack_trace: format!("{code}: {message}\n{trace}").trim_end().to_owned(),
        }
    }
}

/// Where a job stands, in this document's words.
#[derive(Serialize, ToSchema)]
#[schema(as = Document000Status)]
pub(crate) struct StatusRow {
    job_id: Id,
    /// `pending`, `running`, `completed` or `failed`.
    #[schema(value_type = String, example = "pending")]
    status: &'static str,
}

impl StatusRow {
    /// A cancelled job will never have a result, which this document calls `failed`.
    pub(crate) fn new(id: JobId, state: State) -> Self {
        let status = match state {
            State::Scheduled | State::Submitted => "pending",
            State::Running => "running",
            State::Completed => "completed",
            State::Failed | State::Cancelled => "failed",
        };
        Self { job_id: Id(id), status }
    }
}

/// A page of the entries of all results.
#[derive(Serialize, ToSchema)]
#[schema(as = Document000Page)]
pub(crate) struct KeyValues {
    items: Vec<KeyValue>,
    /// How many entries there are in all.
    #[schema(example = 4)]
    total: u64,
    /// How many pages that makes.
    #[schema(example = 1)]
    pages: u64,
    /// The page that was asked for.
    #[schema(example = 1)]
    current_page: u64,
}

/// An entry of a result.
#[derive(Serialize, ToSchema)]
#[schema(as = Document000KeyValue)]
struct KeyValue {
    id: u64,
    #[schema(example = "1 5")]
    key: String,
    #[schema(value_type = Value, example = "2 6")]
    value: Value,
}

impl KeyValues {
    pub(crate) fn new(page: PairPage, current_page: u64, per_page: u64) -> Self {
        let item = |Pair { number, key, value }| KeyValue { id: number, key, value };
        Self {
            items: page.pairs.into_iter().map(item).collect(),
            total: page.total,
            pages: page.total.div_ceil(per_page),
            current_page,
        }
    }
}
