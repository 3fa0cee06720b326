//! Why a job stands where it stands.

use jobmill_engine::Outlook;
use jobmill_model::job::{Children as ModelChildren, Place};
use jobmill_model::queue::Name;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::Error;
use super::id::Id;
use super::moment::Moment;
use super::queue::Queue;
use super::state::{Word, Words};

/// Why a job is not running, or not done.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(crate) struct Explanation<'a> {
    id: Id,
    #[schema(value_type = Words)]
    status: Word,
    /// A stable name of the reason, such as `backing_off` or `waiting_for_worker`.
    #[schema(value_type = String, example = "scheduled")]
    code: &'static str,
    /// The reason, in one sentence.
    #[schema(value_type = String)]
    explanation: &'a str,
    /// Until when it waits at the latest.
    until: Option<Moment>,
    /// How many jobs of its flow in its queue go before it, as far as they were counted.
    ahead: Option<u64>,
    attempt: u32,
    max_attempts: u32,
    /// Its last failure.
    error: Option<Error<'a>>,
    waiting_for: Option<&'a str>,
    children: Option<Children>,
    /// Its queue as it stands.
    #[schema(value_type = Queue)]
    queue: Queue,
    /// Its key.
    key: Option<&'a str>,
}

/// A job's children.
#[derive(Serialize, ToSchema)]
#[schema(as = Children)]
pub(crate) struct Children {
    total: u64,
    ended: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
}

impl From<ModelChildren> for Children {
    fn from(children: ModelChildren) -> Self {
        let ModelChildren { total, completed, failed, cancelled } = children;
        Self { total, ended: children.ended(), completed, failed, cancelled }
    }
}

impl<'a> From<&'a Outlook> for Explanation<'a> {
    fn from(outlook: &'a Outlook) -> Self {
        let Outlook { job, place, children, queue, explanation } = outlook;
        Self {
            id: Id(job.id),
            status: Word(job.state),
            code: explanation.code,
            explanation: &explanation.sentence,
            until: match place {
                Place::Waiting { until } => until.map(Moment),
                _ => None,
            },
            ahead: match place {
                Place::Ready { ahead } => Some(*ahead),
                _ => None,
            },
            attempt: job.attempt,
            max_attempts: job.spec.max_attempts,
            error: Error::of(job),
            waiting_for: job.waiting_for.as_deref(),
            children: (children.total > 0).then(|| (*children).into()),
            queue: Queue::from(queue),
            key: job.spec.key.as_ref().map(Name::as_str),
        }
    }
}
