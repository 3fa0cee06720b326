//! The params of the expand-reduce flow: read over its own settings, all problems at once.

use std::sync::Arc;

use jobmill_model::fault::pointer_below;
use jobmill_model::{Map, Problem, Value, limits};

use crate::expand::{ExpandOp, Split};
use crate::expand_reduce::ExpandReduceFlow;
use crate::product::PARTS;
use crate::reduce::{Collision, Conflict, Merge, Uneven};
use crate::schema;
use jobmill_model::suggest::hint;

/// The longest separator.
const SEPARATOR_BYTES: usize = 256;

const PLACE: &str = "/params";
const NAMES: [&str; 7] =
    ["split", "merge", "separator", "collision", "uneven", "conflict", "max_entries"];
const COLLISIONS: [(&str, Collision); 3] =
    [("last", Collision::Last), ("first", Collision::First), ("error", Collision::Error)];
const UNEVENS: [(&str, Uneven); 3] =
    [("truncate", Uneven::Truncate), ("carry", Uneven::Carry), ("error", Uneven::Error)];
const CONFLICTS: [(&str, Conflict); 4] = [
    ("last", Conflict::Last),
    ("first", Conflict::First),
    ("error", Conflict::Error),
    ("join", Conflict::Join),
];

/// The settings that params ask for, where `defaults` are those of a flow without params.
pub(crate) fn read(
    params: &Value,
    defaults: &ExpandReduceFlow,
) -> Result<ExpandReduceFlow, Vec<Problem>> {
    let mut flow = defaults.clone();
    let params = match params {
        Value::Null => return Ok(flow),
        Value::Map(params) => params,
        other => {
            let message = format!("expected an object, not {}", other.kind());
            return Err(vec![Problem::new(PLACE, message)]);
        }
    };
    let mut reader = Reader { params, problems: Vec::new() };
    reader.refuse_unknown();
    reader.split(&mut flow.expand);
    reader.merge(&mut flow.reduce.merge);
    reader.separator(&mut flow.reduce.separator);
    reader.choose("collision", &COLLISIONS, &mut flow.reduce.collision);
    reader.max_entries(&mut flow.reduce.max_entries);
    if reader.problems.is_empty() { Ok(flow) } else { Err(reader.problems) }
}

struct Reader<'a> {
    params: &'a Map,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, name: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(pointer_below(PLACE, name), message));
    }

    fn refuse_unknown(&mut self) {
        for name in self.params.keys().filter(|name| !NAMES.contains(&&***name)) {
            let hint = hint(name, NAMES);
            self.problem(name, format!("this flow has no such param{hint}"));
        }
    }

    fn split(&mut self, expand: &mut ExpandOp) {
        let Some(value) = self.params.get("split") else { return };
        let split = match value {
            Value::String(name) if &**name == "half" => Ok(Split::Half),
            Value::String(name) if matches!(&**name, "parts" | "every") => {
                let message = format!("\"{name}\" needs a number: {{\"{name}\": 3}}");
                Err(Problem::new("/params/split", message))
            }
            Value::Map(map) if map.len() == 1 => counted_split(map),
            other => Err(unknown_split(other)),
        };
        match split {
            Ok(split) => *expand = ExpandOp::new(split),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn merge(&mut self, merge: &mut Merge) {
        let (mut uneven, mut conflict) = match merge {
            Merge::Zip(uneven) => (*uneven, Conflict::default()),
            Merge::Union(conflict) => (Uneven::default(), *conflict),
            _ => (Uneven::default(), Conflict::default()),
        };
        self.choose("uneven", &UNEVENS, &mut uneven);
        self.choose("conflict", &CONFLICTS, &mut conflict);
        let kinds = [
            ("pairs", Merge::Pairs),
            ("zip", Merge::Zip(uneven)),
            ("union", Merge::Union(conflict)),
        ];
        let is_known = self.choose("merge", &kinds, merge);
        match merge {
            Merge::Zip(chosen) => *chosen = uneven,
            Merge::Union(chosen) => *chosen = conflict,
            _ => {}
        }
        if is_known {
            self.refuse_idle("uneven", &["zip"], matches!(merge, Merge::Zip(_)));
            self.refuse_idle("conflict", &["union"], matches!(merge, Merge::Union(_)));
            let joins = matches!(merge, Merge::Pairs | Merge::Zip(_));
            self.refuse_idle("collision", &["pairs", "zip"], joins);
        }
    }

    /// A param that would do nothing is a mistake about the others.
    fn refuse_idle(&mut self, name: &str, merges: &[&str], is_used: bool) {
        if !is_used && self.params.contains(name) {
            let message = format!("only used where \"merge\" is {}", one_of(merges));
            self.problem(name, message);
        }
    }

    fn separator(&mut self, separator: &mut Arc<str>) {
        match self.params.get("separator") {
            None => {}
            Some(Value::String(text)) if text.len() <= SEPARATOR_BYTES => *separator = text.clone(),
            Some(Value::String(text)) => {
                let len = text.len();
                let message = format!("at most {SEPARATOR_BYTES} bytes are allowed, not {len}");
                self.problem("separator", message);
            }
            Some(other) => {
                self.problem("separator", format!("expected a string, not {}", other.kind()));
            }
        }
    }

    fn max_entries(&mut self, max_entries: &mut u64) {
        let Some(value) = self.params.get("max_entries") else { return };
        match schema::whole(value).and_then(|number| u64::try_from(number).ok()) {
            Some(number) if number <= limits::RESULT_ENTRIES => *max_entries = number,
            _ => {
                let most = limits::RESULT_ENTRIES;
                let message =
                    format!("expected a whole number from 0 to {most}, not {}", shown(value));
                self.problem("max_entries", message);
            }
        }
    }

    /// Reads one of several names; tells whether what stands there is known.
    fn choose<T: Clone>(&mut self, name: &str, choices: &[(&str, T)], chosen: &mut T) -> bool {
        let Some(value) = self.params.get(name) else { return true };
        let text = value.as_str();
        if let Some((_, choice)) = choices.iter().find(|(choice, _)| Some(*choice) == text) {
            *chosen = choice.clone();
            return true;
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let hint = text.map_or_else(String::new, |text| hint(text, names.iter().copied()));
        let message = format!("expected {}, not {}{hint}", one_of(&names), shown(value));
        self.problem(name, message);
        false
    }
}

/// `{"parts": n}` or `{"every": k}`.
fn counted_split(map: &Map) -> Result<Split, Problem> {
    let (name, value) = map.iter().next().ok_or_else(|| unknown_split(&Value::Null))?;
    let make = match &**name {
        "parts" => Split::Parts,
        "every" => Split::Every,
        other => {
            let hint = hint(other, ["parts", "every"]);
            let message = format!("expected \"parts\" or \"every\"{hint}");
            return Err(Problem::new(pointer_below("/params/split", other), message));
        }
    };
    let count = schema::whole(value).and_then(|number| usize::try_from(number).ok());
    match count {
        Some(count @ 1..=PARTS) => Ok(make(count)),
        _ => {
            let message =
                format!("expected a whole number from 1 to {PARTS}, not {}", shown(value));
            Err(Problem::new(pointer_below("/params/split", name), message))
        }
    }
}

fn unknown_split(value: &Value) -> Problem {
    let hint =
        value.as_str().map_or_else(String::new, |text| hint(text, ["half", "parts", "every"]));
    let message = format!(
        "expected \"half\", {{\"parts\": n}} or {{\"every\": k}}, not {}{hint}",
        shown(value)
    );
    Problem::new("/params/split", message)
}

/// `"a", "b" or "c"`.
fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}

/// A short value as it is, else its kind.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= 40 => value.to_string(),
        Value::Int(_) | Value::Double(_) => value.to_string(),
        other => other.kind().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn problems(params: &str) -> String {
        let params = Value::from_json(params.as_bytes()).unwrap();
        let problems = read(&params, &ExpandReduceFlow::default()).unwrap_err();
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    }

    fn settings(params: &str, defaults: &ExpandReduceFlow) -> String {
        let params = Value::from_json(params.as_bytes()).unwrap();
        let flow = read(&params, defaults).unwrap();
        format!("{:?}\n{:?}", flow.expand, flow.reduce)
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        assert_snapshot!(problems(r#"{
            "splt": 1, "split": "harf", "merge": "zipp", "separator": 3, "uneven": true,
            "collision": "frist", "conflict": [], "max_entries": -1, "something/else": null
        }"#), @r#"
        /params/splt: this flow has no such param; did you mean "split"?
        /params/something~1else: this flow has no such param
        /params/split: expected "half", {"parts": n} or {"every": k}, not "harf"; did you mean "half"?
        /params/uneven: expected "truncate", "carry" or "error", not a boolean
        /params/conflict: expected "last", "first", "error" or "join", not an array
        /params/merge: expected "pairs", "zip" or "union", not "zipp"; did you mean "zip"?
        /params/separator: expected a string, not a whole number
        /params/collision: expected "last", "first" or "error", not "frist"; did you mean "first"?
        /params/max_entries: expected a whole number from 0 to 10000000, not -1
        "#);
    }

    #[test]
    fn wrong_splits_are_explained() {
        let wrong = [
            r#""parts""#,
            r#"{"parts": 0}"#,
            r#"{"parts": 1.5}"#,
            r#"{"every": 101}"#,
            r#"{"evry": 2}"#,
            r#"{"parts": 1, "every": 2}"#,
            "{}",
            "null",
            r#""thirds""#,
        ];
        let all: String =
            wrong.iter().map(|it| problems(&format!(r#"{{"split": {it}}}"#))).collect();
        assert_snapshot!(all, @r#"
        /params/split: "parts" needs a number: {"parts": 3}
        /params/split/parts: expected a whole number from 1 to 100, not 0
        /params/split/parts: expected a whole number from 1 to 100, not 1.5
        /params/split/every: expected a whole number from 1 to 100, not 101
        /params/split/evry: expected "parts" or "every"; did you mean "every"?
        /params/split: expected "half", {"parts": n} or {"every": k}, not an object
        /params/split: expected "half", {"parts": n} or {"every": k}, not an object
        /params/split: expected "half", {"parts": n} or {"every": k}, not null
        /params/split: expected "half", {"parts": n} or {"every": k}, not "thirds"
        "#);
    }

    #[test]
    fn params_that_would_do_nothing_are_refused() {
        let all = [
            problems(r#"{"uneven": "carry"}"#),
            problems(r#"{"merge": "zip", "conflict": "join"}"#),
            problems(r#"{"merge": "union", "collision": "last"}"#),
        ];
        assert_snapshot!(all.concat(), @r#"
        /params/uneven: only used where "merge" is "zip"
        /params/conflict: only used where "merge" is "union"
        /params/collision: only used where "merge" is "pairs" or "zip"
        "#);
    }

    #[test]
    fn params_are_an_object_or_nothing() {
        assert_snapshot!(problems("[1]"), @"/params: expected an object, not an array");
        assert!(read(&Value::Null, &ExpandReduceFlow::default()).is_ok());
    }

    #[test]
    fn a_long_separator_and_too_many_entries_are_refused() {
        let separator = "x".repeat(257);
        let params = format!(r#"{{"separator": "{separator}", "max_entries": 10000001}}"#);
        assert_snapshot!(problems(&params), @r#"
        /params/separator: at most 256 bytes are allowed, not 257
        /params/max_entries: expected a whole number from 0 to 10000000, not 10000001
        "#);
    }

    #[test]
    fn params_go_over_the_flow_s_own_settings() {
        let flow = ExpandReduceFlow::new().merge(Merge::Zip(Uneven::Carry)).separator("+");
        assert_snapshot!(settings(r#"{"split": {"every": 3}}"#, &flow), @r#"
        ExpandOp { split: Every(3) }
        ReduceOp { merge: Zip(Carry), separator: "+", collision: Last, max_entries: 10000000 }
        "#);
        assert_snapshot!(settings(r#"{"merge": "zip", "uneven": "error"}"#, &flow), @r#"
        ExpandOp { split: Half }
        ReduceOp { merge: Zip(Error), separator: "+", collision: Last, max_entries: 10000000 }
        "#);
        assert_snapshot!(settings(r#"{"merge": "union", "separator": ""}"#, &flow), @r#"
        ExpandOp { split: Half }
        ReduceOp { merge: Union(Last), separator: "", collision: Last, max_entries: 10000000 }
        "#);
    }

    #[test]
    fn the_defaults_of_the_schema_are_the_defaults() {
        use crate::Flow;
        let flow = ExpandReduceFlow::default();
        let schema = flow.params_schema();
        let properties = schema.as_map().unwrap().get("properties").unwrap().as_map().unwrap();
        assert_eq!(properties.keys().map(|name| &**name).collect::<Vec<_>>(), NAMES);
        let default = |name: &str| properties.get(name)?.as_map()?.get("default").cloned();
        let used = ["split", "merge", "separator", "collision", "max_entries"];
        let defaults = Value::map(used.map(|name| (name, default(name).unwrap())));
        let read = read(&defaults, &ExpandReduceFlow::new().separator("+").max_entries(1)).unwrap();
        assert_eq!(format!("{read:?}"), format!("{flow:?}"));
        assert_eq!(default("uneven"), Some(Value::from("truncate")));
        assert_eq!(default("conflict"), Some(Value::from("last")));
    }
}
