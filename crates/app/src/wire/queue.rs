//! A queue as it is shown, and the rules that an operator sends.

use jobmill_model::queue::QueueRules;
use jobmill_model::rate::Rate;
use jobmill_model::{Problem, Span, Value, limits};
use jobmill_store::QueueStanding;
use serde::Serialize;
use utoipa::ToSchema;

use super::moment::Moment;
use super::reader::{Reader, expected};

/// A queue as it stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Queue)]
pub(crate) struct Queue {
    /// Its name.
    #[schema(example = "default")]
    name: String,
    /// Whether it lets nothing go. Jobs are accepted all the same.
    paused: bool,
    /// The most of its jobs that may be at work at once; `null` for no limit.
    concurrency: Option<u32>,
    /// How many of its jobs may be started in a time; `null` for no limit.
    rate: Option<Allowance>,
    /// The most jobs of one `key` that may be at work at once, for each key.
    key_limit: u32,
    /// Jobs that wait for a worker, or for the queue to let them go.
    waiting: u64,
    /// Jobs that wait for others of their key.
    held: u64,
    /// Jobs at work. One that waits in the middle of its work is not.
    running: u64,
    /// When the rate lets the next job go; `null` if one may go now.
    refills_at: Option<Moment>,
}

/// So many starts in a time, refilled steadily.
#[derive(Serialize, ToSchema)]
#[schema(as = Rate)]
struct Allowance {
    /// How many.
    #[schema(minimum = 1, maximum = 1_000_000)]
    count: u32,
    /// In how long, as a duration.
    #[schema(example = "1s")]
    per: String,
}

/// The rules of a queue. What is absent or `null` is as usual: no limit, and one job of a key at
/// a time.
#[derive(ToSchema)]
#[schema(as = QueueRules)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Rules {
    /// The most of its jobs that may be at work at once.
    #[schema(minimum = 1, maximum = 1_000_000)]
    concurrency: Option<u32>,
    /// How many of its jobs may be started in a time.
    rate: Option<Allowance>,
    /// The most jobs of one `key` that may be at work at once.
    #[schema(minimum = 1, maximum = 1_000, default = 1)]
    key_limit: Option<u32>,
}

impl From<&QueueStanding> for Queue {
    fn from(queue: &QueueStanding) -> Self {
        let QueueRules { concurrency, rate, key_limit } = queue.rules;
        Self {
            name: queue.name.to_string(),
            paused: queue.paused,
            concurrency,
            rate: rate.map(|Rate { count, per }| Allowance { count, per: per.to_string() }),
            key_limit,
            waiting: queue.ready,
            held: queue.held,
            running: queue.leased,
            refills_at: queue.refills_at.map(Moment),
        }
    }
}

/// Reads the rules of a queue. With a problem noted, what it answers is of no use.
pub(crate) fn read(body: &Value, problems: &mut Vec<Problem>) -> QueueRules {
    let mut rules = QueueRules::default();
    let Some(mut reader) = Reader::object(body, "", problems) else { return rules };
    reader.only(&["concurrency", "rate", "key_limit"]);
    rules.concurrency = count(&mut reader, "concurrency", limits::QUEUE_CONCURRENCY);
    if let Some(limit) = count(&mut reader, "key_limit", limits::KEY_LIMIT) {
        rules.key_limit = limit;
    }
    rules.rate = match reader.value("rate") {
        None => None,
        Some(value @ Value::Map(_)) => reader.below("rate", value, read_rate),
        Some(other) => {
            let text = expected("an object such as {\"count\":10,\"per\":\"1s\"}", other);
            reader.refuse("rate", text);
            None
        }
    };
    rules
}

fn read_rate(reader: &mut Reader<'_, '_>) -> Option<Rate> {
    reader.only(&["count", "per"]);
    for field in ["count", "per"] {
        if reader.value(field).is_none() {
            reader.refuse(field, "is missing");
        }
    }
    let count = count(reader, "count", limits::RATE_COUNT);
    let per = reader.span("per", limits::RATE_MILLIS);
    if per == Some(Span::ZERO) {
        reader.refuse("per", "expected a duration above 0s");
    }
    Some(Rate { count: count?, per: per? })
}

fn count(reader: &mut Reader<'_, '_>, field: &str, most: u32) -> Option<u32> {
    reader.whole(field, 1..=i64::from(most)).and_then(|count| u32::try_from(count).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<QueueRules, Vec<String>> {
        let mut problems = Vec::new();
        let rules = read(&Value::from_json(text.as_bytes()).unwrap(), &mut problems);
        let said = problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        if said.is_empty() { Ok(rules) } else { Err(said) }
    }

    #[test]
    fn rules_are_read_and_what_is_absent_is_as_usual() {
        let rate = Some(Rate { count: 10, per: Span::from_secs(1) });
        assert_eq!(
            read_text(r#"{"concurrency":3,"rate":{"count":10,"per":"1s"},"key_limit":2}"#),
            Ok(QueueRules { concurrency: Some(3), rate, key_limit: 2 })
        );
        assert_eq!(read_text(r#"{"rate":null}"#), Ok(QueueRules::default()));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let said = read_text(
            r#"{"concurency":1,"concurrency":0,"key_limit":1001,"rate":{"count":0,"each":"1s"}}"#,
        );
        let said = said.unwrap_err();
        assert_eq!(said.len(), 6, "{said:?}");
        assert!(said[0].contains("did you mean \"concurrency\""), "{said:?}");
        assert_eq!(read_text(r#"{"rate":5}"#).unwrap_err().len(), 1);
        assert_eq!(read_text(r#"{"rate":{"count":1,"per":"0s"}}"#).unwrap_err().len(), 1);
    }
}
