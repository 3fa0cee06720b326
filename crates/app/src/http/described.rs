//! What the description of the API says in the same words at many routes.
#![expect(dead_code, reason = "these are named in descriptions and never made")]

use utoipa::{IntoParams, IntoResponses};

use crate::wire::problem::Document;

#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "No job has this id",
    content_type = "application/problem+json"
)]
pub(crate) struct NoJob(Document<'static>);

#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "No schedule has this name",
    content_type = "application/problem+json"
)]
pub(crate) struct NoSchedule(Document<'static>);

#[derive(IntoResponses)]
#[response(
    status = 404,
    description = "No workflow has this name",
    content_type = "application/problem+json"
)]
pub(crate) struct NoWorkflow(Document<'static>);

#[derive(IntoResponses)]
#[response(
    status = 422,
    description = "The body makes no sense",
    content_type = "application/problem+json"
)]
pub(crate) struct NoSense(Document<'static>);

#[derive(IntoResponses)]
#[response(
    status = 422,
    description = "The body makes no sense; nothing was done",
    content_type = "application/problem+json"
)]
pub(crate) struct NothingDone(Document<'static>);

#[derive(IntoResponses)]
#[response(
    status = 400,
    description = "The limit or the cursor makes no sense",
    content_type = "application/problem+json"
)]
pub(crate) struct NoSuchPage(Document<'static>);

#[derive(IntoResponses)]
#[response(
    status = 400,
    description = "A filter makes no sense, or there is none",
    content_type = "application/problem+json"
)]
pub(crate) struct NoSuchFilter(Document<'static>);

/// Which jobs are meant, beside their state.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Many {
    /// Only jobs of this flow
    flow: Option<String>,
    /// Only jobs of this queue
    queue: Option<String>,
    /// Only jobs with this tag
    tag: Option<String>,
    /// Only jobs submitted at or after this
    since: Option<String>,
    /// Only jobs submitted before this
    until: Option<String>,
    /// Needed where no filter is given
    all: Option<bool>,
    /// Counts and changes nothing
    dry_run: Option<bool>,
    /// The `next` of the answer before
    cursor: Option<String>,
}
