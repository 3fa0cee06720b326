//! What a sender asks for: from a body to checked jobs.

use hyper::http::uri::{Authority, Uri};
use jobmill_model::job::{Backoff, NewJob, Spec, Start, Unique};
use jobmill_model::queue::{Name, Priority};
use jobmill_model::{Declaration, Map, Problem, Span, Timestamp, Value, limits};
use utoipa::ToSchema;

use super::reader::{Reader, expected};

/// The flow of a body that names none: document 004's form.
pub(crate) const BARE_FLOW: &str = "range_report";

const FIELDS: [&str; 15] = [
    "flow",
    "input",
    "params",
    "queue",
    "key",
    "priority",
    "delay",
    "run_at",
    "max_attempts",
    "backoff",
    "timeout",
    "tags",
    "unique",
    "webhook",
    "parent",
];

/// A job to submit. A body without `flow` is, as a whole, the input of the flow `range_report`.
#[derive(ToSchema)]
#[schema(as = Submission)]
#[expect(dead_code, reason = "it describes the body for the OpenAPI document")]
pub(crate) struct Submission {
    /// The flow to run.
    #[schema(example = "expand_reduce_flow")]
    flow: String,
    /// What it works on; its form is the flow's `input_schema`.
    #[schema(value_type = Option<Value>)]
    input: (),
    /// How it works; its form is the flow's `params_schema`.
    #[schema(value_type = Option<Object>)]
    params: (),
    /// The queue to wait in.
    #[schema(default = "default", max_length = 128)]
    queue: Option<String>,
    /// Whose work it is, such as a tenant's. Of each key in a queue, no more jobs are at work at
    /// once than the `key_limit` of the queue allows, usually one.
    #[schema(max_length = 128, example = "tenant-42")]
    key: Option<String>,
    /// How much the job is preferred within its queue; higher goes first.
    #[schema(minimum = -1000, maximum = 1000, default = 0)]
    priority: Option<i32>,
    /// How long to wait before the first try, as a duration. Not together with `run_at`.
    #[schema(example = "30s")]
    delay: Option<String>,
    /// When the first try may begin. Not together with `delay`.
    #[schema(format = DateTime)]
    run_at: Option<String>,
    /// How many tries of the flow there may be.
    #[schema(minimum = 1, maximum = 1000, default = 3)]
    max_attempts: Option<u32>,
    /// How long to wait between tries.
    backoff: Option<Waits>,
    /// The time limit of one try, as a duration.
    #[schema(example = "5m")]
    timeout: Option<String>,
    /// Names to find the job by.
    #[schema(max_items = 32)]
    tags: Option<Vec<String>>,
    /// Who is told when the job has ended: an `http` or `https` URL that gets a signed `POST`.
    #[schema(max_length = 2048, example = "https://example.org/told")]
    webhook: Option<String>,
    /// Not beside another job of the flow that is the same: then that one is answered.
    unique: Option<Only>,
    /// An unfinished job that this one belongs to: it is cancelled with it.
    parent: Option<String>,
}

/// What makes jobs of a flow the same: `true` for the input and params, text for a key, or an
/// object.
#[derive(ToSchema)]
#[schema(as = Unique)]
#[expect(dead_code, reason = "it describes the field for the OpenAPI document")]
pub(crate) enum Only {
    #[schema(title = "ByInput", example = true)]
    ByInput(bool),
    #[schema(title = "ByKey", example = "invoice-7")]
    ByKey(String),
    #[schema(title = "ForATime")]
    ForATime {
        /// The key; without one, the input and params.
        #[schema(max_length = 128)]
        key: Option<String>,
        /// How long after its submission a job is in the way although it has ended, as a
        /// duration.
        #[schema(example = "1h")]
        r#for: Option<String>,
    },
}

/// How long to wait between tries: a duration (the same every time) or the numbers of an
/// exponential backoff.
#[derive(ToSchema)]
#[schema(as = Backoff)]
#[expect(dead_code, reason = "it describes the field for the OpenAPI document")]
pub(crate) enum Waits {
    #[schema(title = "Fixed", example = "30s")]
    Fixed(String),
    #[schema(title = "Exponential")]
    Exponential {
        /// The wait after the first failed try.
        #[schema(default = "1s")]
        initial: Option<String>,
        /// No wait is longer.
        #[schema(default = "5m")]
        max: Option<String>,
        /// The factor from one wait to the next.
        #[schema(minimum = 1, maximum = 100, default = 2)]
        multiplier: Option<f64>,
        /// The part of the wait that is left to chance.
        #[schema(minimum = 0, maximum = 1, default = 0.2)]
        jitter: Option<f64>,
    },
}

/// Reads one submission. With a problem noted, what it answers is of no use.
pub(crate) fn read(
    body: Value,
    pointer: &str,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> NewJob {
    if body.as_map().is_some_and(|map| !map.contains("flow")) {
        return bare(body);
    }
    let mut spec = Spec::new(Name::trusted(BARE_FLOW));
    let mut params = Value::from(Map::new());
    let Some(mut reader) = Reader::object(&body, pointer, problems) else {
        return NewJob { spec, input: Value::Null, params };
    };
    reader.only(&FIELDS);
    read_options(&mut reader, &mut spec, now);
    match reader.value("params") {
        None => {}
        Some(value @ Value::Map(_)) => params = value.clone(),
        Some(other) => reader.refuse("params", expected("an object", other)),
    }
    let input = reader.value("input").cloned().unwrap_or_default();
    NewJob { spec, input, params }
}

/// Which of the options that a declared flow has defaults for a submission gives itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    max_attempts: bool,
    timeout: bool,
}

/// Looks for the options that a declared flow has defaults for.
pub(crate) fn given(body: &Value) -> Given {
    let has = |field: &str| {
        let value = body.as_map().and_then(|map| map.get(field));
        value.is_some_and(|value| *value != Value::Null)
    };
    Given { max_attempts: has("max_attempts"), timeout: has("timeout") }
}

/// Takes from a flow's declaration what the submission does not give itself.
pub(crate) fn fill(spec: &mut Spec, given: Given, flow: Option<&Declaration>) {
    let Some(flow) = flow else { return };
    if !given.max_attempts {
        spec.max_attempts = flow.max_attempts;
    }
    if !given.timeout {
        spec.timeout = flow.timeout;
    }
}

/// Document 004's form: the whole body is the input.
fn bare(body: Value) -> NewJob {
    let spec = Spec { bare: true, ..Spec::new(Name::trusted(BARE_FLOW)) };
    NewJob { spec, input: body, params: Value::from(Map::new()) }
}

fn read_options(reader: &mut Reader<'_, '_>, spec: &mut Spec, now: Timestamp) {
    match reader.value("flow") {
        None => reader.refuse("flow", "expected a string, got null"),
        Some(_) => spec.flow = reader.name("flow").unwrap_or_else(|| spec.flow.clone()),
    }
    if let Some(queue) = reader.name("queue") {
        spec.queue = queue;
    }
    spec.key = reader.name("key");
    let most = i64::from(limits::PRIORITY);
    if let Some(priority) = reader.whole("priority", -most..=most).and_then(Priority::new) {
        spec.priority = priority;
    }
    if let Some(attempts) = reader.whole("max_attempts", 1..=i64::from(limits::MAX_ATTEMPTS)) {
        spec.max_attempts = u32::try_from(attempts).unwrap_or(limits::MAX_ATTEMPTS);
    }
    spec.start = read_start(reader, now);
    spec.backoff = read_backoff(reader);
    spec.timeout = reader.span("timeout", limits::TIMEOUT_MILLIS);
    if spec.timeout == Some(Span::ZERO) {
        reader.refuse("timeout", "expected a duration above 0s");
    }
    spec.tags = reader.names("tags", limits::TAGS);
    spec.unique = read_unique(reader);
    spec.parent = reader.parsed("parent");
    spec.webhook = read_webhook(reader);
}

fn read_webhook(reader: &mut Reader<'_, '_>) -> Option<String> {
    let text = reader.text("webhook")?;
    let most = limits::WEBHOOK_URL_BYTES;
    let parsed = text.parse::<Uri>().ok().filter(|_| text.len() <= most);
    let is_fit = parsed.is_some_and(|uri| {
        let authority = uri.authority().map_or("", Authority::as_str);
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && !authority.contains('@')
    });
    if !is_fit {
        let wanted = format!(
            "expected an http or https URL of at most {most} bytes, without a user or a password"
        );
        reader.refuse("webhook", wanted);
    }
    is_fit.then(|| text.to_owned())
}

fn read_start(reader: &mut Reader<'_, '_>, now: Timestamp) -> Start {
    let delay = reader.span("delay", limits::DELAY_MILLIS);
    let run_at: Option<Timestamp> = reader.parsed("run_at");
    if reader.value("delay").is_some() && reader.value("run_at").is_some() {
        reader.refuse("run_at", "give either `delay` or `run_at`, not both");
    }
    match (delay, run_at) {
        (Some(Span::ZERO) | None, None) => Start::Now,
        (Some(delay), _) => Start::After(delay),
        (None, Some(at)) => {
            let last = now.after(Span::from_millis(limits::DELAY_MILLIS));
            if at > last {
                reader.refuse("run_at", format!("at most ten years ahead, at {last}"));
            }
            Start::At(at)
        }
    }
}

fn read_unique(reader: &mut Reader<'_, '_>) -> Option<Unique> {
    match reader.value("unique")? {
        Value::Bool(unique) => unique.then(Unique::default),
        Value::String(_) => Some(Unique { key: reader.name("unique"), span: None }),
        value @ Value::Map(_) => reader.below("unique", value, |reader| {
            reader.only(&["key", "for"]);
            Some(Unique {
                key: reader.name("key"),
                span: reader.span("for", limits::UNIQUE_MILLIS),
            })
        }),
        other => {
            reader.refuse("unique", expected("true, a key or an object", other));
            None
        }
    }
}

fn read_backoff(reader: &mut Reader<'_, '_>) -> Backoff {
    match reader.value("backoff") {
        None => Backoff::default(),
        Some(Value::String(_)) => {
            reader.span("backoff", limits::DELAY_MILLIS).map(Backoff::fixed).unwrap_or_default()
        }
        Some(value @ Value::Map(_)) => reader.below("backoff", value, read_exponential),
        Some(other) => {
            reader.refuse("backoff", expected("a duration or an object", other));
            Backoff::default()
        }
    }
}

fn read_exponential(reader: &mut Reader<'_, '_>) -> Backoff {
    reader.only(&["initial", "max", "multiplier", "jitter"]);
    let normal = Backoff::default();
    let initial = reader.span("initial", limits::DELAY_MILLIS).unwrap_or(normal.initial);
    let backoff = Backoff {
        initial,
        max: reader.span("max", limits::DELAY_MILLIS).unwrap_or(normal.max.max(initial)),
        multiplier: reader.number("multiplier").unwrap_or(normal.multiplier),
        jitter: reader.number("jitter").unwrap_or(normal.jitter),
    };
    backoff.check().unwrap_or_else(|error| {
        reader.refuse_whole(error.to_string());
        normal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::EPOCH;

    fn read_text(text: &str) -> Result<NewJob, Vec<String>> {
        let mut problems = Vec::new();
        let job = read(Value::from_json(text.as_bytes()).unwrap(), "", NOW, &mut problems);
        if problems.is_empty() {
            Ok(job)
        } else {
            Err(problems.iter().map(ToString::to_string).collect())
        }
    }

    #[test]
    fn every_option_is_read() {
        let job = read_text(
            r#"{"flow":"f","input":[1],"params":{"split":"half"},"queue":"q","key":"k","priority":-5,
            "delay":"30s","max_attempts":7,"timeout":"1h30m","tags":["a","b","a"],
            "unique":{"key":"u","for":"1h"},
            "webhook":"https://example.org/told?by=us",
            "backoff":{"initial":"2s","max":"1m","multiplier":3,"jitter":0}}"#,
        )
        .unwrap();
        let spec = job.spec;
        assert_eq!((spec.flow.as_str(), spec.queue.as_str()), ("f", "q"));
        assert_eq!(spec.key, Some(Name::trusted("k")));
        assert_eq!((spec.priority.level(), spec.max_attempts), (-5, 7));
        assert_eq!(spec.start, Start::After(Span::from_secs(30)));
        assert_eq!(spec.timeout, Some(Span::from_secs(5_400)));
        let unique = Unique { key: Some(Name::trusted("u")), span: Some(Span::from_secs(3_600)) };
        assert_eq!(spec.unique, Some(unique));
        assert_eq!(spec.tags, ["a", "b"].map(Name::trusted));
        let (initial, max) = (Span::from_secs(2), Span::from_secs(60));
        assert_eq!(spec.backoff, Backoff { initial, max, multiplier: 3.0, jitter: 0.0 });
        assert_eq!(job.input.to_string(), "[1]");
        assert_eq!(job.params.to_string(), r#"{"split":"half"}"#);
        assert_eq!(spec.webhook.as_deref(), Some("https://example.org/told?by=us"));
        assert!(!spec.bare);
    }

    #[test]
    fn options_that_are_null_are_not_given() {
        let job = read_text(r#"{"flow":"f","queue":null,"params":null,"backoff":"5s"}"#).unwrap();
        let wait = Backoff::fixed(Span::from_secs(5));
        let spec = Spec { backoff: wait, ..Spec::new(Name::trusted("f")) };
        assert_eq!(job, NewJob { spec, input: Value::Null, params: Value::from(Map::new()) });
    }

    #[test]
    fn a_unique_job_is_so_by_its_input_or_by_a_key() {
        let unique = |text: &str| {
            let body = format!(r#"{{"flow":"f","unique":{text}}}"#);
            read_text(&body).map(|job| job.spec.unique)
        };
        let by_key = Unique { key: Some(Name::trusted("k")), span: None };
        assert_eq!(unique("true"), Ok(Some(Unique::default())));
        assert_eq!(unique("{}"), Ok(Some(Unique::default())));
        assert_eq!(unique("false"), Ok(None));
        assert_eq!(unique(r#""k""#), Ok(Some(by_key)));
        for bad in ["7", r#""a b""#, r#"{"for":"never"}"#, r#"{"by":"key"}"#] {
            assert!(unique(bad).is_err_and(|said| said[0].starts_with("/unique")), "{bad}");
        }
    }

    #[test]
    fn a_body_without_a_flow_is_an_input_as_a_whole() {
        let job = read_text(r#"{"start":1,"queue":7}"#).unwrap();
        assert!(job.spec.bare);
        assert_eq!(job.spec.flow.as_str(), BARE_FLOW);
        assert_eq!(job.input.to_string(), r#"{"start":1,"queue":7}"#);
    }

    #[test]
    fn a_webhook_is_a_url_that_can_be_shown() {
        for bad in ["x", "/told", "ftp://x", "http://", "http://me:secret@x/", "http://a b/"] {
            let said = read_text(&format!(r#"{{"flow":"f","webhook":"{bad}"}}"#)).unwrap_err();
            assert!(said[0].starts_with("/webhook: expected an http"), "{bad}: {said:?}");
        }
        let long = format!("http://x/{}", "y".repeat(limits::WEBHOOK_URL_BYTES));
        assert!(read_text(&format!(r#"{{"flow":"f","webhook":"{long}"}}"#)).is_err());
        assert!(read_text(r#"{"flow":"f","webhook":"http://[::1]:9/x?y=z"}"#).is_ok());
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let said = read_text(
            r#"{"flow":7,"prioritty":1,"queue":"a b","key":"","priority":2000,"delay":"soon","run_at":"x",
            "max_attempts":0,"timeout":"0s","tags":"x","params":[],"webhook":"ftp://x",
            "backoff":{"initial":"5s","max":"1s","factor":2}}"#,
        );
        let pointers: Vec<String> =
            said.unwrap_err().iter().map(|it| it.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(
            pointers,
            [
                "/prioritty",
                "/flow",
                "/queue",
                "/key",
                "/priority",
                "/max_attempts",
                "/delay",
                "/run_at",
                "/run_at",
                "/backoff/factor",
                "/backoff",
                "/timeout",
                "/tags",
                "/webhook",
                "/params",
            ]
        );
        assert_eq!(read_text("[]").unwrap_err(), ["expected an object, got an array"]);
    }
}
