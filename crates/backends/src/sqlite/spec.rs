//! The options of a job that are seldom given, as one JSON text: nothing where all are default.

use jobmill_model::job::{Backoff, Spec, Start, Unique};
use jobmill_model::queue::{Name, Priority};
use jobmill_model::{JobId, Map, Span, Timestamp, Value};

/// The part of a spec that has columns of its own.
pub(super) struct Plain {
    pub(super) flow: Name,
    pub(super) queue: Name,
    pub(super) key: Option<Name>,
    pub(super) priority: Priority,
    pub(super) max_attempts: u32,
    pub(super) parent: Option<JobId>,
}

/// The stored text of the other options.
pub(super) fn write(spec: &Spec) -> Option<String> {
    let mut map = Map::new();
    match spec.start {
        Start::Now => {}
        Start::After(span) => drop(map.insert("after", millis(span))),
        Start::At(at) => drop(map.insert("at", at.as_millis().into())),
    }
    if spec.backoff != Backoff::default() {
        let Backoff { initial, max, multiplier, jitter } = spec.backoff;
        let numbers = [millis(initial), millis(max), multiplier.into(), jitter.into()];
        map.insert("backoff", Value::list(numbers));
    }
    if let Some(timeout) = spec.timeout {
        map.insert("timeout", millis(timeout));
    }
    if !spec.tags.is_empty() {
        map.insert("tags", Value::list(spec.tags.iter().map(|tag| tag.as_str().into())));
    }
    if !spec.warnings.is_empty() {
        map.insert("warnings", Value::list(spec.warnings.iter().map(|text| text.as_str().into())));
    }
    if let Some(Unique { key, span }) = &spec.unique {
        let key = key.as_ref().map(|key| key.as_str().into());
        map.insert(
            "unique",
            Value::list([key.unwrap_or_default(), span.map(millis).unwrap_or_default()]),
        );
    }
    if spec.gathers {
        map.insert("gathers", true.into());
    }
    if spec.bare {
        map.insert("bare", true.into());
    }
    if let Some(url) = &spec.webhook {
        map.insert("webhook", url.as_str().into());
    }
    (!map.is_empty()).then(|| Value::from(map).to_string())
}

/// Puts the two parts of a spec together; nothing for a text that `write` does not write.
pub(super) fn read(plain: Plain, text: Option<&str>) -> Option<Spec> {
    let Plain { flow, queue, key, priority, max_attempts, parent } = plain;
    let mut spec = Spec { queue, key, priority, max_attempts, parent, ..Spec::new(flow) };
    let Some(text) = text else { return Some(spec) };
    let value = Value::from_json(text.as_bytes()).ok()?;
    for (key, value) in value.as_map()?.iter() {
        match &**key {
            "after" => spec.start = Start::After(span(value)?),
            "at" => spec.start = Start::At(Timestamp::from_millis(value.as_int()?)),
            "backoff" => spec.backoff = backoff(value)?,
            "timeout" => spec.timeout = Some(span(value)?),
            "tags" => spec.tags = texts(value, |text| Name::trusted(text))?,
            "warnings" => spec.warnings = texts(value, str::to_owned)?,
            "unique" => spec.unique = Some(unique(value)?),
            "gathers" => spec.gathers = true,
            "bare" => spec.bare = true,
            "webhook" => spec.webhook = Some(value.as_str()?.to_owned()),
            _ => return None,
        }
    }
    Some(spec)
}

/// The tags among stored options.
pub(super) fn tags(text: Option<&str>) -> Vec<Name> {
    let options = text.and_then(|text| Value::from_json(text.as_bytes()).ok());
    let tags = options.as_ref().and_then(|options| options.as_map()?.get("tags"));
    tags.and_then(|tags| texts(tags, |text| Name::trusted(text))).unwrap_or_default()
}

fn millis(span: Span) -> Value {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX).into()
}

fn span(value: &Value) -> Option<Span> {
    u64::try_from(value.as_int()?).ok().map(Span::from_millis)
}

fn backoff(value: &Value) -> Option<Backoff> {
    let [initial, max, Value::Double(multiplier), Value::Double(jitter)] = value.as_list()? else {
        return None;
    };
    let (multiplier, jitter) = (*multiplier, *jitter);
    Some(Backoff { initial: span(initial)?, max: span(max)?, multiplier, jitter })
}

fn unique(value: &Value) -> Option<Unique> {
    let [key, time] = value.as_list()? else { return None };
    let span = if *time == Value::Null { None } else { Some(span(time)?) };
    Some(Unique { key: key.as_str().map(Name::trusted), span })
}

fn texts<T>(value: &Value, make: impl Fn(&str) -> T) -> Option<Vec<T>> {
    value.as_list()?.iter().map(|item| item.as_str().map(&make)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(spec: &Spec) -> (Option<String>, Spec) {
        let text = write(spec);
        let plain = Plain {
            flow: spec.flow.clone(),
            queue: spec.queue.clone(),
            key: spec.key.clone(),
            priority: spec.priority,
            max_attempts: spec.max_attempts,
            parent: spec.parent,
        };
        let read = read(plain, text.as_deref()).unwrap();
        (text, read)
    }

    #[test]
    fn default_options_take_no_room() {
        let spec = Spec::new(Name::trusted("f"));
        assert_eq!(there_and_back(&spec), (None, spec));
    }

    /// The stored text of every option; a change here breaks existing data.
    #[test]
    fn options_are_stored_as_this_text() {
        let spec = Spec {
            start: Start::After(Span::from_secs(5)),
            backoff: Backoff::fixed(Span::from_millis(7)),
            timeout: Some(Span::from_secs(1)),
            tags: vec![Name::trusted("a"), Name::trusted("b")],
            warnings: vec!["odd \"thing\"".to_owned()],
            bare: true,
            gathers: true,
            unique: Some(Unique { key: Some(Name::trusted("k")), span: None }),
            webhook: Some("http://x".to_owned()),
            ..Spec::new(Name::trusted("f"))
        };
        let (text, read) = there_and_back(&spec);
        assert_eq!(
            text.as_deref(),
            Some(concat!(
                r#"{"after":5000,"backoff":[7,7,1.0,0.0],"timeout":1000,"#,
                r#""tags":["a","b"],"warnings":["odd \"thing\""],"unique":["k",null],"#,
                r#""gathers":true,"bare":true,"webhook":"http://x"}"#
            ))
        );
        assert_eq!(read, spec);
    }
}
