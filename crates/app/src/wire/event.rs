//! What happens to jobs, as server-sent events.

use std::fmt::Write;

use jobmill_engine::{Ending, Told};
use jobmill_model::{Job as Model, JobId};
use serde::Serialize;

use super::error::Error;
use super::id::Id;
use super::job::{Progress, Tags};
use super::moment::Moment;
use super::state::Word;

/// A job without what was submitted: that does not change and may be large.
#[derive(Serialize)]
struct Job<'a> {
    id: Id,
    flow: &'a str,
    queue: &'a str,
    status: Word,
    attempt: u32,
    max_attempts: u32,
    progress: Progress<'a>,
    run_at: Moment,
    started_at: Option<Moment>,
    finished_at: Option<Moment>,
    error: Option<Error<'a>>,
    tags: Tags<'a>,
    parent: Option<Id>,
    waiting_for: Option<&'a str>,
}

impl<'a> From<&'a Model> for Job<'a> {
    fn from(job: &'a Model) -> Self {
        let spec = &job.spec;
        Self {
            id: Id(job.id),
            flow: spec.flow.as_str(),
            queue: spec.queue.as_str(),
            status: Word(job.state),
            attempt: job.attempt,
            max_attempts: spec.max_attempts,
            progress: Progress::from(&job.progress),
            run_at: Moment(job.run_at),
            started_at: job.started_at.map(Moment),
            finished_at: job.finished_at.map(Moment),
            error: Error::of(job),
            tags: Tags(&spec.tags),
            parent: spec.parent.map(Id),
            waiting_for: job.waiting_for.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Gone {
    id: Id,
}

#[derive(Serialize)]
struct End {
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Word>,
}

/// The text of an event, with its empty line.
pub(crate) fn text(told: &Told) -> String {
    match told {
        Told::Open(position) => event("open", Some(position), "{}"),
        Told::Job { job, progress, position } => {
            let name = if *progress { "progress" } else { "state" };
            event(name, position.as_ref(), &json(&Job::from(&**job)))
        }
        Told::Deleted(id, position) => event("deleted", Some(position), &json(&gone(*id))),
        Told::Resync => event("resync", None::<&str>, "{}"),
        Told::Synced(position) => event("synced", Some(position), "{}"),
        Told::Quiet => ": nothing happens\n\n".to_owned(),
        Told::End(ending) => event("end", None::<&str>, &json(&end(*ending))),
    }
}

fn gone(id: JobId) -> Gone {
    Gone { id: Id(id) }
}

fn end(ending: Ending) -> End {
    match ending {
        Ending::Ended(state) => End { reason: "ended", status: Some(Word(state)) },
        Ending::Deleted => End { reason: "deleted", status: None },
        Ending::Closing => End { reason: "closing", status: None },
        Ending::Failed => End { reason: "failed", status: None },
    }
}

/// JSON has no line breaks outside its texts, and there they are escaped.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn event(name: &str, id: Option<&(impl std::fmt::Display + ?Sized)>, data: &str) -> String {
    let mut text = String::with_capacity(data.len() + 128);
    if let Some(id) = id {
        // Writing into a text never fails.
        let _ = writeln!(text, "id: {id}");
    }
    let _ = write!(text, "event: {name}\ndata: {data}\n\n");
    text
}
