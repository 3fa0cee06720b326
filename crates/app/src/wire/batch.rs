//! A batch: jobs that belong together, and one that begins when all of them have ended.

use jobmill_model::Job as Model;
use jobmill_model::job::Children as ModelChildren;
use serde::Serialize;
use utoipa::ToSchema;

use super::explanation::Children;
use super::id::Id;
use super::job::Job;
use super::submission::Submission;

/// A batch to submit.
#[derive(ToSchema)]
#[schema(as = NewBatch)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct NewBatch {
    /// The jobs, at most 10,000, as for `POST /jobs` without `unique` and `parent`.
    jobs: Vec<Submission>,
    /// What is done when all of them have ended, however; as for `POST /jobs` without `delay`,
    /// `run_at`, `unique` and `parent`.
    callback: Submission,
}

/// A batch as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Batch)]
pub(crate) struct Batch<'a> {
    /// Its id, which is also that of its callback.
    id: Id,
    jobs: Children,
    /// The job that begins when all of them have ended.
    callback: Job<'a>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(callback: &'a Model, jobs: ModelChildren) -> Self {
        Self { id: Id(callback.id), jobs: jobs.into(), callback: Job::from(callback) }
    }
}
