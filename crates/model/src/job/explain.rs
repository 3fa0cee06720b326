//! Why a job is not running, or not done: from facts to one sentence.

use crate::job::{Failure, State};
use crate::queue::{Name, QueueRules};
use crate::rate::Rate;
use crate::time::{Span, Timestamp};

/// Where a job stands towards the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It can be claimed; so many jobs of its flow in its queue go before it.
    Ready {
        /// How many, as far as they were counted.
        ahead: u64,
    },
    /// Its time has come, and it waits for others of its key.
    Held {
        /// How many of them take a place of the key, as far as they were counted.
        taken: u64,
    },
    /// A worker holds its lease.
    Leased,
    /// It waits for a time, or for a signal if there is none.
    Waiting {
        /// The time.
        until: Option<Timestamp>,
    },
    /// It has ended.
    Ended,
}

/// A job's children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Children {
    /// How many there are.
    pub total: u64,
    /// How many of them were completed.
    pub completed: u64,
    /// How many of them failed.
    pub failed: u64,
    /// How many of them were cancelled.
    pub cancelled: u64,
}

impl Children {
    /// How many of them have ended.
    #[must_use]
    pub fn ended(&self) -> u64 {
        self.completed + self.failed + self.cancelled
    }
}

/// Who could perform the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// This server performs the flow and has a worker free.
    Free,
    /// This server performs the flow, and all its workers are at work.
    Busy,
    /// Workers outside perform the flow; one has called so long ago.
    Outside {
        /// How long ago the last one called; nothing if none ever has.
        last_call: Option<Span>,
    },
    /// Nobody performs the flow.
    Nobody,
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its state.
    pub state: State,
    /// Where it stands towards the workers.
    pub place: Place,
    /// Its flow.
    pub flow: Name,
    /// Its queue.
    pub queue: Name,
    /// Tries begun in this run.
    pub attempt: u32,
    /// Tries that there may be.
    pub max_attempts: u32,
    /// When it may run.
    pub run_at: Timestamp,
    /// When its first try of this run began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What it waits for in the middle of its work.
    pub waiting_for: Option<String>,
    /// Its last failure in this run.
    pub error: Option<Failure>,
    /// Its children.
    pub children: Children,
    /// Who could perform it.
    pub workers: Workers,
    /// Its key.
    pub key: Option<Name>,
    /// What its queue lets go.
    pub line: Line,
}

/// What a queue lets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Line {
    /// Whether it lets nothing go.
    pub paused: bool,
    /// Its limits.
    pub rules: QueueRules,
    /// How many of its jobs are under a lease.
    pub leased: u64,
    /// When its rate limit lets the next job go; nothing if one could go now.
    pub refills_at: Option<Timestamp>,
}

/// Why a job stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// A stable name of the reason.
    pub code: &'static str,
    /// The reason, in one sentence.
    pub sentence: String,
}

/// A worker outside that has not called for so long is not counted on.
pub const SILENCE_MILLIS: u64 = 120_000;

/// Says why a job stands where it stands.
#[must_use]
pub fn explain(facts: &Facts, now: Timestamp) -> Explanation {
    let (code, sentence) = match facts.place {
        Place::Ended => ended(facts),
        Place::Leased => running(facts, now),
        Place::Waiting { until } if facts.state == State::Scheduled => scheduled(facts, until, now),
        Place::Waiting { until } => parked(facts, until, now),
        Place::Held { .. } | Place::Ready { .. } if facts.line.paused => {
            let queue = &facts.queue;
            ("queue_paused", format!("it waits in queue {queue}, which is paused"))
        }
        Place::Held { taken } => held(facts, taken),
        Place::Ready { ahead } => shut(facts, now).unwrap_or_else(|| ready(facts, ahead)),
    };
    Explanation { code, sentence }
}

type Reason = (&'static str, String);

fn ended(facts: &Facts) -> Reason {
    let at = facts.finished_at.map(|at| format!(" at {at}")).unwrap_or_default();
    match facts.state {
        State::Failed => {
            let tries = tries(facts);
            ("failed", format!("it failed{at} after {tries}{}", last_error(facts)))
        }
        State::Cancelled => ("cancelled", format!("it was cancelled{at}")),
        _ => ("completed", format!("it was completed{at}")),
    }
}

fn running(facts: &Facts, now: Timestamp) -> Reason {
    let since = match facts.started_at {
        Some(at) => format!(" for {} (since {at})", whole_seconds(now.since(at))),
        None => String::new(),
    };
    let (attempt, most) = (facts.attempt, facts.max_attempts);
    ("running", format!("it has been running{since}, in attempt {attempt} of {most}"))
}

fn scheduled(facts: &Facts, until: Option<Timestamp>, now: Timestamp) -> Reason {
    if let (None, Some(text)) = (until, unfinished_children(facts)) {
        return ("waiting_for_children", text);
    }
    let at = until.unwrap_or(facts.run_at);
    let when = format!("{at} (in {})", whole_seconds(at.since(now)));
    match facts.attempt {
        0 => ("scheduled", format!("it is scheduled for {when}")),
        tried => {
            let (next, error) = (tried + 1, last_error(facts));
            let text = format!("it backs off before attempt {next} until {when}{error}");
            ("backing_off", text)
        }
    }
}

fn parked(facts: &Facts, until: Option<Timestamp>, now: Timestamp) -> Reason {
    let until = match until {
        Some(at) => format!(", until {at} at the latest (in {})", whole_seconds(at.since(now))),
        None => String::new(),
    };
    if let Some(text) = unfinished_children(facts) {
        return ("waiting_for_children", text + &until);
    }
    let what = facts.waiting_for.as_deref().unwrap_or("a signal");
    ("parked", format!("it waits, without a worker, for {what}{until}"))
}

fn unfinished_children(facts: &Facts) -> Option<String> {
    let (total, ended) = (facts.children.total, facts.children.ended());
    let left = total - ended;
    (left > 0).then(|| format!("it waits for {left} of {total} children, {ended} have ended"))
}

fn held(facts: &Facts, taken: u64) -> Reason {
    let (queue, limit) = (&facts.queue, facts.line.rules.key_limit);
    let key = facts.key.as_ref().map_or("", Name::as_str);
    let text =
        format!("it waits in queue {queue} for others of its key: {key} is at {taken}/{limit}");
    ("key_full", text)
}

/// What of its queue's limits a job waits for.
fn shut(facts: &Facts, now: Timestamp) -> Option<Reason> {
    let (queue, Line { rules, leased, refills_at, .. }) = (&facts.queue, facts.line);
    if let Some(most) = rules.concurrency.filter(|most| leased >= u64::from(*most)) {
        return Some((
            "queue_full",
            format!("it waits in queue {queue}, which is at {leased}/{most}"),
        ));
    }
    let Rate { count, per } = rules.rate?;
    let refills = whole_seconds(refills_at?.since(now));
    let text = format!("it waits in queue {queue}: its rate limit of {count} in {per} is used up");
    Some(("rate_limited", format!("{text} and refills in {refills}")))
}

fn ready(facts: &Facts, ahead: u64) -> Reason {
    let Facts { flow, queue, .. } = facts;
    let line = match ahead {
        0 => "it is the next of its flow".to_owned(),
        1 => "1 job of its flow goes before it".to_owned(),
        many => format!("{many} jobs of its flow go before it"),
    };
    match facts.workers {
        Workers::Nobody => {
            ("no_worker", format!("it waits in queue {queue}: no worker knows its flow {flow}"))
        }
        Workers::Outside { last_call: None } => {
            let text = format!("no worker for its flow {flow} has called yet");
            ("no_worker", format!("it waits in queue {queue}: {text}"))
        }
        Workers::Outside { last_call: Some(ago) } if ago.as_millis() >= SILENCE_MILLIS => {
            let ago = whole_seconds(ago);
            let text = format!("no worker for its flow {flow} has called for {ago}");
            ("no_worker", format!("it waits in queue {queue}: {text}"))
        }
        Workers::Busy => {
            let text = format!("it waits in queue {queue} for a free worker: {line}");
            ("waiting_for_worker", text)
        }
        Workers::Free | Workers::Outside { .. } => {
            ("about_to_run", format!("it waits in queue {queue} and is about to be taken: {line}"))
        }
    }
}

fn tries(facts: &Facts) -> String {
    match facts.attempt {
        1 => "1 attempt".to_owned(),
        many => format!("{many} attempts"),
    }
}

fn last_error(facts: &Facts) -> String {
    match &facts.error {
        Some(Failure { code, message }) => format!("; the last error was {code}: {message}"),
        None => String::new(),
    }
}

/// Nobody reads milliseconds here.
fn whole_seconds(span: Span) -> Span {
    Span::from_secs(span.as_millis().div_ceil(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000)
    }

    fn facts(state: State, place: Place) -> Facts {
        Facts {
            state,
            place,
            flow: Name::trusted("f"),
            queue: Name::trusted("mail"),
            attempt: 0,
            max_attempts: 3,
            run_at: at(60),
            started_at: None,
            finished_at: None,
            waiting_for: None,
            error: None,
            children: Children::default(),
            workers: Workers::Free,
            key: None,
            line: Line::default(),
        }
    }

    fn busy() -> Option<Failure> {
        Some(Failure { code: "Busy".to_owned(), message: "try later".to_owned() })
    }

    fn outside(secs: Option<u64>) -> Workers {
        Workers::Outside { last_call: secs.map(Span::from_secs) }
    }

    type Row = (Facts, &'static str, &'static str);

    /// The cases of jobs that wait: the facts, the code, the sentence.
    fn waiting() -> Vec<Row> {
        let waiting = |secs: Option<i64>| Place::Waiting { until: secs.map(at) };
        let ready =
            |ahead, workers| Facts { workers, ..facts(State::Submitted, Place::Ready { ahead }) };
        vec![
            (
                facts(State::Scheduled, waiting(Some(60))),
                "scheduled",
                "it is scheduled for 1970-01-01T00:01:00.000Z (in 50s)",
            ),
            (
                Facts { attempt: 2, error: busy(), ..facts(State::Scheduled, waiting(Some(60))) },
                "backing_off",
                "it backs off before attempt 3 until 1970-01-01T00:01:00.000Z (in 50s); the last \
                 error was Busy: try later",
            ),
            (
                ready(0, Workers::Free),
                "about_to_run",
                "it waits in queue mail and is about to be taken: it is the next of its flow",
            ),
            (
                ready(12, Workers::Busy),
                "waiting_for_worker",
                "it waits in queue mail for a free worker: 12 jobs of its flow go before it",
            ),
            (
                ready(1, outside(Some(5))),
                "about_to_run",
                "it waits in queue mail and is about to be taken: 1 job of its flow goes before it",
            ),
            (
                ready(0, outside(Some(120))),
                "no_worker",
                "it waits in queue mail: no worker for its flow f has called for 2m",
            ),
            (
                ready(0, outside(None)),
                "no_worker",
                "it waits in queue mail: no worker for its flow f has called yet",
            ),
            (
                ready(0, Workers::Nobody),
                "no_worker",
                "it waits in queue mail: no worker knows its flow f",
            ),
        ]
    }

    /// The cases of jobs that are held, under way, or over.
    fn others() -> Vec<Row> {
        let children = Children { total: 12, completed: 3, failed: 1, cancelled: 1 };
        let waiting = |secs: Option<i64>| Place::Waiting { until: secs.map(at) };
        vec![
            (
                Facts {
                    attempt: 1,
                    started_at: Some(at(4)),
                    ..facts(State::Running, Place::Leased)
                },
                "running",
                "it has been running for 6s (since 1970-01-01T00:00:04.000Z), in attempt 1 of 3",
            ),
            (
                Facts {
                    waiting_for: Some("signal go".to_owned()),
                    ..facts(State::Running, waiting(Some(70)))
                },
                "parked",
                "it waits, without a worker, for signal go, until 1970-01-01T00:01:10.000Z at the \
                 latest (in 1m)",
            ),
            (
                Facts { children, ..facts(State::Running, waiting(None)) },
                "waiting_for_children",
                "it waits for 7 of 12 children, 5 have ended",
            ),
            (
                Facts { children, ..facts(State::Scheduled, waiting(None)) },
                "waiting_for_children",
                "it waits for 7 of 12 children, 5 have ended",
            ),
            (
                Facts { finished_at: Some(at(9)), ..facts(State::Completed, Place::Ended) },
                "completed",
                "it was completed at 1970-01-01T00:00:09.000Z",
            ),
            (
                Facts { attempt: 3, error: busy(), ..facts(State::Failed, Place::Ended) },
                "failed",
                "it failed after 3 attempts; the last error was Busy: try later",
            ),
            (facts(State::Cancelled, Place::Ended), "cancelled", "it was cancelled"),
        ]
    }

    /// The cases of jobs that their queue or their key holds back.
    fn held_back() -> Vec<Row> {
        let limits = QueueRules {
            concurrency: Some(8),
            rate: Some(Rate { count: 10, per: Span::from_secs(60) }),
            key_limit: 3,
        };
        let line = Line { rules: limits, leased: 7, ..Line::default() };
        let in_line = |line, place| Facts {
            key: Some(Name::trusted("tenant-42")),
            line,
            ..facts(State::Submitted, place)
        };
        let first = Place::Ready { ahead: 0 };
        vec![
            (
                in_line(Line { paused: true, leased: 8, ..line }, Place::Held { taken: 3 }),
                "queue_paused",
                "it waits in queue mail, which is paused",
            ),
            (
                in_line(line, Place::Held { taken: 3 }),
                "key_full",
                "it waits in queue mail for others of its key: tenant-42 is at 3/3",
            ),
            (
                in_line(Line { leased: 8, refills_at: Some(at(14)), ..line }, first),
                "queue_full",
                "it waits in queue mail, which is at 8/8",
            ),
            (
                in_line(Line { refills_at: Some(at(14)), ..line }, first),
                "rate_limited",
                "it waits in queue mail: its rate limit of 10 in 1m is used up and refills in 4s",
            ),
            (
                in_line(line, first),
                "about_to_run",
                "it waits in queue mail and is about to be taken: it is the next of its flow",
            ),
        ]
    }

    #[test]
    fn every_case_has_its_code_and_its_sentence() {
        for (facts, code, sentence) in waiting().into_iter().chain(held_back()).chain(others()) {
            let explained = explain(&facts, at(10));
            assert_eq!((explained.code, explained.sentence.as_str()), (code, sentence));
        }
    }
}
