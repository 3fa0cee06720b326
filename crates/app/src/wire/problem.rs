//! A refusal as a problem document (RFC 9457).

use jobmill_engine::Finding;
use jobmill_model::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::id::Id;
use super::state::{Word, Words};

/// Why a request was refused, as RFC 9457 writes it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'a> {
    /// A stable name of the kind of problem.
    #[schema(value_type = String, example = "urn:jobmill:problem:invalid-request")]
    pub(crate) r#type: String,
    /// What that kind is, in words.
    #[schema(value_type = String, example = "Invalid request")]
    pub(crate) title: &'static str,
    /// The status of the answer.
    #[schema(example = 422)]
    pub(crate) status: u16,
    /// What happened this time, and what to do.
    #[schema(value_type = String, example = "the request has 1 problem")]
    pub(crate) detail: &'a str,
    /// The job that the request is about, where its state is the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub(crate) id: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Words, required = false, nullable = false)]
    pub(crate) job_status: Option<Word>,
    /// Everything that is wrong with the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) errors: Vec<Item<'a>>,
}

/// One thing that is wrong, and where.
#[derive(Serialize, ToSchema)]
#[schema(as = ProblemItem)]
pub(crate) struct Item<'a> {
    /// A JSON pointer into the body (RFC 6901), or `?name` for a query parameter.
    #[schema(value_type = String, example = "/input")]
    pub(crate) pointer: &'a str,
    #[schema(value_type = String, example = "expected an object or a list of objects")]
    pub(crate) message: &'a str,
    /// Where in a source: the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub(crate) line: Option<u32>,
    /// Where in the line: the character, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub(crate) column: Option<u32>,
    /// The line of the source with carets under the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, nullable = false)]
    pub(crate) excerpt: Option<&'a str>,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, nullable = false)]
    pub(crate) suggestion: Option<&'a str>,
}

impl<'a> From<&'a Problem> for Item<'a> {
    fn from(problem: &'a Problem) -> Self {
        let (pointer, message) = (problem.pointer.as_str(), problem.message.as_str());
        Self { pointer, message, line: None, column: None, excerpt: None, suggestion: None }
    }
}

impl<'a> From<&'a Finding> for Item<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            pointer: "/source",
            message: &finding.message,
            line: Some(finding.line),
            column: Some(finding.column),
            excerpt: Some(&finding.excerpt),
            suggestion: finding.suggestion.as_deref(),
        }
    }
}
