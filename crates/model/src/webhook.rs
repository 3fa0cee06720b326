//! Completion webhooks: the job that tells somebody of the end of another.
//!
//! The body has the form of Standard Webhooks: a type, a time, and the data.

use crate::JobId;
use crate::job::{Backoff, Fingerprint, Job, Spec};
use crate::limits::{WEBHOOK_ATTEMPTS, WEBHOOK_FIRST_WAIT_MILLIS, WEBHOOK_LAST_WAIT_MILLIS};
use crate::queue::Name;
use crate::time::{Span, Timestamp};
use crate::value::{Json, Value};

/// The flow of the jobs that deliver. Nobody else submits jobs of it.
pub const FLOW: &str = "webhook";
/// The queue that they wait in.
pub const QUEUE: &str = "webhooks";

/// A job that delivers, to be stored in one step with the end that it tells of.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id, which is that of the message too: it derives from the job and its run.
    pub id: JobId,
    /// Its options.
    pub spec: Spec,
    /// Where to, and what.
    pub input: Json,
}

impl Delivery {
    /// What tells of the end of a job, as it stands right after it; nothing if nobody wants to
    /// be told.
    #[must_use]
    pub fn of(job: &Job, now: Timestamp) -> Option<Self> {
        let url = job.spec.webhook.as_deref().filter(|_| job.state.is_final())?;
        let event = Value::map([
            ("type", format!("job.{}", job.state).into()),
            ("timestamp", now.to_string().into()),
            ("data", data(job)),
        ]);
        let input = Value::map([("url", url.into()), ("event", event)]).to_json();
        let backoff = Backoff {
            initial: Span::from_millis(WEBHOOK_FIRST_WAIT_MILLIS),
            max: Span::from_millis(WEBHOOK_LAST_WAIT_MILLIS),
            multiplier: 4.0,
            ..Backoff::default()
        };
        let spec = Spec {
            queue: Name::trusted(QUEUE),
            max_attempts: WEBHOOK_ATTEMPTS,
            backoff,
            tags: vec![tag(job.id)],
            ..Spec::new(Name::trusted(FLOW))
        };
        Some(Self { id: id(job, now), spec, input })
    }
}

/// What the deliveries of a job can be found by.
#[must_use]
pub fn tag(job: JobId) -> Name {
    Name::trusted(format!("webhook:{job}"))
}

fn id(job: &Job, now: Timestamp) -> JobId {
    let Fingerprint(hash) = Fingerprint::of(format!("webhook {} {}", job.id, job.run).as_bytes());
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&hash[..10]);
    JobId::from_parts(now, bytes)
}

fn data(job: &Job) -> Value {
    let time = |at: Option<Timestamp>| at.map_or(Value::Null, |at| at.to_string().into());
    let error = job.error.as_ref().map_or(Value::Null, |error| {
        Value::map([
            ("type", error.code.as_str().into()),
            ("message", error.message.as_str().into()),
        ])
    });
    Value::map([
        ("id", job.id.to_string().into()),
        ("flow", job.spec.flow.as_str().into()),
        ("queue", job.spec.queue.as_str().into()),
        ("status", job.state.as_str().into()),
        ("run", job.run.into()),
        ("attempt", job.attempt.into()),
        ("created_at", job.created_at.to_string().into()),
        ("finished_at", time(job.finished_at)),
        ("tags", Value::list(job.spec.tags.iter().map(|tag| tag.as_str().into()))),
        ("error", error),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;
    use crate::job::{Failure, Progress};

    fn job(state: State) -> Job {
        let at = Timestamp::from_millis(1_700_000_000_000);
        Job {
            id: JobId::from_parts(at, [7; 10]),
            spec: Spec {
                webhook: Some("https://example.org/told".to_owned()),
                tags: vec![Name::trusted("red")],
                ..Spec::new(Name::trusted("mail"))
            },
            input: Json::trusted("{}"),
            params: Json::trusted("{}"),
            state,
            attempt: 2,
            crashes: 0,
            run: 1,
            progress: Progress::default(),
            created_at: at,
            run_at: at,
            started_at: Some(at),
            finished_at: Some(at.after(Span::from_secs(9))),
            error: Some(Failure { code: "Broken".to_owned(), message: "never works".to_owned() }),
            waiting_for: None,
        }
    }

    /// What receivers read; a change here breaks them.
    #[test]
    fn a_message_has_this_form() {
        let failed = job(State::Failed);
        let now = failed.created_at.after(Span::from_secs(9));
        let delivery = Delivery::of(&failed, now).unwrap();
        assert_eq!(
            delivery.input.as_str(),
            concat!(
                r#"{"url":"https://example.org/told","event":{"type":"job.failed","#,
                r#""timestamp":"2023-11-14T22:13:29.000Z","data":{"#,
                r#""id":"018bcfe5-6800-7707-8707-070707070707","flow":"mail","queue":"default","#,
                r#""status":"failed","run":1,"attempt":2,"#,
                r#""created_at":"2023-11-14T22:13:20.000Z","#,
                r#""finished_at":"2023-11-14T22:13:29.000Z","tags":["red"],"#,
                r#""error":{"type":"Broken","message":"never works"}}}}"#,
            )
        );
        assert_eq!(delivery.spec.tags, [tag(failed.id)]);
        assert_eq!(delivery.spec.webhook, None, "nobody is told of the telling");
    }

    #[test]
    fn each_run_is_told_of_under_an_id_of_its_own() {
        let first = job(State::Failed);
        let now = first.created_at.after(Span::from_secs(9));
        let second = Job { run: 2, ..first.clone() };
        let id = |job: &Job| Delivery::of(job, now).unwrap().id;
        assert_eq!(id(&first), id(&first));
        assert_ne!(id(&first), id(&second));
    }

    #[test]
    fn nobody_is_told_of_an_unfinished_job_or_without_asking() {
        let now = Timestamp::EPOCH;
        for state in [State::Scheduled, State::Submitted, State::Running] {
            assert_eq!(Delivery::of(&job(state), now), None);
        }
        let mut quiet = job(State::Completed);
        quiet.spec.webhook = None;
        assert_eq!(Delivery::of(&quiet, now), None);
    }
}
