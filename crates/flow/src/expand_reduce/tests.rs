//! What the flow promises as a flow: golden vectors, lists of roots, refusals, watching.

use std::sync::atomic::{AtomicU64, Ordering};

use insta::assert_snapshot;
use jobmill_model::output::Shape;

use super::*;
use crate::flow::Watch;
use crate::output::{ValueWriter, join};
use crate::{Conflict, Uneven, local};

fn json(text: &str) -> Value {
    Value::from_json(text.as_bytes()).unwrap()
}

fn run(input: &str, params: &str) -> String {
    match local::run(&ExpandReduceFlow::new(), &json(input), &json(params)) {
        Ok(result) => result.to_string(),
        Err(fault) => format!("{}\n{}", fault.code, fault.message),
    }
}

#[test]
fn the_golden_vectors_hold() {
    let numbers = r#"{"1":"2","3":"4","5":"6","7":"8"}"#;
    let questions = r#"{"How are you?":"Fine.","Who are you?":"I am Bob."}"#;
    let letters = r#"{"a":1,"b":2,"c":3}"#;
    let colliding = r#"{"a":"x","a b":"y","b c":"z","c":"w"}"#;
    let table = [
        (numbers, "null", r#"{"1 5":"2 6","1 7":"2 8","3 5":"4 6","3 7":"4 8"}"#),
        (numbers, r#"{"merge":"zip"}"#, r#"{"1 5":"2 6","3 7":"4 8"}"#),
        (questions, "{}", r#"{"How are you? Who are you?":"Fine. I am Bob."}"#),
        (letters, "null", r#"{"a b":"1 2","a c":"1 3"}"#),
        (letters, r#"{"merge":"zip","uneven":"carry"}"#, r#"{"a b":"1 2","c":3}"#),
        (letters, r#"{"merge":"zip"}"#, r#"{"a b":"1 2"}"#),
        (letters, r#"{"merge":"union"}"#, r#"{"a":1,"b":2,"c":3}"#),
        (letters, r#"{"split":{"parts":3}}"#, r#"{"a b c":"1 2 3"}"#),
        (letters, r#"{"split":{"every":2}}"#, r#"{"a b":"1 2","c b":"3 2"}"#),
        (letters, r#"{"split":{"parts":1}}"#, letters),
        ("{}", "null", "{}"),
        (r#"{"a":1}"#, "null", "{}"),
        (r#"{"a":1}"#, r#"{"merge":"zip","uneven":"carry"}"#, r#"{"a":1}"#),
        (colliding, "null", r#"{"a b c":"y w","a c":"x w","a b b c":"y z"}"#),
        (colliding, r#"{"collision":"first"}"#, r#"{"a b c":"x z","a c":"x w","a b b c":"y z"}"#),
        (
            colliding,
            r#"{"separator":"-"}"#,
            r#"{"a-b c":"x-z","a-c":"x-w","a b-b c":"y-z","a b-c":"y-w"}"#,
        ),
        ("[]", "null", "[]"),
        (r#"[{"a":1,"b":2},{},{"c":3,"d":4}]"#, "null", r#"[{"a b":"1 2"},{},{"c d":"3 4"}]"#),
    ];
    for (input, params, expected) in table {
        assert_eq!(run(input, params), expected, "{input} with {params}");
    }
}

#[test]
fn a_collision_fails_the_job_where_that_is_asked_for() {
    let colliding = r#"{"a":"x","a b":"y","b c":"z","c":"w"}"#;
    assert_snapshot!(run(colliding, r#"{"collision":"error"}"#), @r#"
    KeyCollision
    two entries have the key "a b c" once joined; let "collision" be "last" or "first", or choose a separator that the keys do not contain
    "#);
}

fn refused(input: &Value, params: &str) -> String {
    let problems = ExpandReduceFlow::new().check(input, &json(params));
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn what_is_wrong_with_input_and_params_is_said_at_once() {
    let all = [
        refused(&Value::Null, r#"{"split":"hlaf"}"#),
        refused(&json("[{}, 1, {}, [], null]"), "null"),
        refused(&json(r#"{"a":1,"b":2,"c":3,"d":4}"#), r#"{"max_entries":3}"#),
        refused(&json(r#"[{"a":1,"b":2,"c":3,"d":4},{"a":1,"b":2}]"#), r#"{"max_entries":4}"#),
    ];
    assert_snapshot!(all.concat(), @r#"
    /input: expected an object or a list of objects, not null
    /params/split: expected "half", {"parts": n} or {"every": k}, not "hlaf"; did you mean "half"?
    /input/1: expected an object, not a whole number
    /input/3: expected an object, not an array
    /input/4: expected an object, not null
    /input: the result would have 4 entries, at most 3 are allowed; use smaller dictionaries or a merge that makes fewer
    /input: the result would have 5 entries, at most 4 are allowed; use smaller dictionaries or a merge that makes fewer
    "#);
}

#[test]
fn a_product_over_the_cap_is_refused_before_the_job_begins() {
    let large: Map = (0..10_000).map(|key| (key.to_string(), Value::Null)).collect();
    assert!(refused(&Value::from(large), "null").starts_with(
        "/input: the result would have 25000000 entries, at most 10000000 are allowed;"
    ));
    let many: Map = (0..100).map(|key| (key.to_string(), Value::Null)).collect();
    let params = json(r#"{"split":{"parts":50}}"#);
    assert_eq!(ExpandReduceFlow::new().check(&Value::from(many), &params).len(), 1);
}

#[test]
fn a_run_of_params_that_were_not_checked_fails() {
    let flow = ExpandReduceFlow::new();
    let run = |input: &str, params: &str| {
        let mut output = ValueWriter::default();
        let (input, params) = (json(input), json(params));
        let watch = &crate::Unwatched;
        flow.run(Work { input: &input, params: &params, output: &mut output, watch }).unwrap_err()
    };
    assert_eq!(run("{}", "1").code, "InvalidInput");
    assert_eq!(run("1", "{}").code, "InvalidInput");
    let fault = run(r#"{"a":1,"b":2}"#, r#"{"max_entries":0}"#);
    assert_eq!((&*fault.code, &*fault.trace), ("ResultTooLarge", "at flow expand_reduce_flow"));
}

#[test]
fn closures_are_held_to_the_cap_when_they_run() {
    let flow = ExpandReduceFlow::new()
        .split(Split::with(|dict| vec![dict.clone(), dict.clone()]))
        .max_entries(10);
    let input = json(r#"[{"a":1,"b":2,"c":3},{"a":1,"b":2}]"#);
    assert!(flow.check(&input, &Value::Null).is_empty());
    assert_eq!(local::run(&flow, &input, &Value::Null).unwrap_err().code, "ResultTooLarge");
}

#[test]
fn the_union_of_a_closure_s_parts_may_conflict() {
    let flow = ExpandReduceFlow::new()
        .split(Split::with(|dict| vec![dict.clone(), dict.clone()]))
        .merge(Merge::Union(Conflict::Join));
    let result = local::run(&flow, &json(r#"{"a":1}"#), &Value::Null).unwrap();
    assert_eq!(result.to_string(), r#"{"a":"1 1"}"#);
}

#[test]
fn a_large_product_is_written_in_chunks_that_join_to_the_whole() {
    let input: Map = (0..600).map(|key| (format!("key \"{key}\""), Value::from(key))).collect();
    let flow = ExpandReduceFlow::new();
    let whole = flow.run_local(input.clone()).unwrap();
    let (extent, chunks) = local::run_chunked(&flow, &Value::from(input), &Value::Null).unwrap();
    assert_eq!((extent.shape, extent.len), (Shape::Object, 90_000));
    assert!(chunks.len() > 10);
    assert_eq!(join(extent.shape, &chunks), Value::from(whole).to_string());
}

/// Stops after some looks; remembers the last report.
#[derive(Default)]
struct Clerk {
    looks_left: AtomicU64,
    reports: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
}

impl Watch for Clerk {
    fn stopped(&self) -> bool {
        let left = self.looks_left.load(Ordering::Relaxed);
        self.looks_left.store(left.saturating_sub(1), Ordering::Relaxed);
        left == 0
    }

    fn progress(&self, done: u64, total: u64, _message: &str) {
        assert!(done >= self.done.load(Ordering::Relaxed), "progress goes forward");
        self.reports.fetch_add(1, Ordering::Relaxed);
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }
}

fn watched(looks: u64, params: &str, input: Value) -> (Clerk, Result<(), Fault>) {
    let clerk = Clerk { looks_left: AtomicU64::new(looks), ..Clerk::default() };
    let mut output = ValueWriter::default();
    let flow = ExpandReduceFlow::new();
    let result = local::run_into(&flow, &input, &json(params), &mut output, &clerk);
    (clerk, result)
}

#[test]
fn progress_is_told_every_few_thousand_entries_and_ends_at_its_total() {
    let keys: Map = (0..400).map(|key| (key.to_string(), Value::Null)).collect();
    let input = Value::list([Value::from(keys.clone()), Value::from(keys)]);
    for params in ["{}", r#"{"separator":""}"#] {
        let (clerk, result) = watched(u64::MAX, params, input.clone());
        result.unwrap();
        let (done, total) = (clerk.done.into_inner(), clerk.total.into_inner());
        assert_eq!((done, total), (80_000, 80_000));
        assert!((15..=25).contains(&clerk.reports.into_inner()));
    }
}

#[test]
fn entries_that_fall_together_count_as_done() {
    let keys: Map = (1..=400).map(|len| ("a".repeat(len), Value::Null)).collect();
    let (clerk, result) = watched(u64::MAX, r#"{"separator":""}"#, Value::from(keys));
    result.unwrap();
    assert!(clerk.reports.into_inner() >= 10);
}

#[test]
fn work_that_is_asked_to_stop_stops() {
    let keys: Map = (0..400).map(|key| (key.to_string(), Value::Null)).collect();
    for params in ["{}", r#"{"separator":""}"#, r#"{"merge":"zip"}"#] {
        for looks in [0, 1, 2] {
            let (clerk, result) = watched(looks, params, Value::from(keys.clone()));
            if params.contains("zip") && looks > 1 {
                continue;
            }
            assert_eq!(result.unwrap_err().code, "Cancelled", "{params} {looks}");
            assert!(clerk.done.into_inner() < 40_000);
        }
    }
}

#[test]
fn the_schemas_are_json_and_describe_every_param() {
    let flow = ExpandReduceFlow::new();
    assert!(flow.input_schema().as_map().is_some());
    let schema = flow.params_schema();
    let properties = schema.as_map().unwrap().get("properties").unwrap().as_map().unwrap();
    for (name, property) in properties.iter() {
        assert!(property.as_map().unwrap().contains("description"), "{name}");
    }
}

#[test]
fn settings_of_the_builder_hold_where_params_say_nothing() {
    let flow = ExpandReduceFlow::new()
        .split(Split::Every(2))
        .merge(Merge::Zip(Uneven::Carry))
        .separator("/")
        .collision(Collision::First);
    let run = |params| local::run(&flow, &json(r#"{"a":1,"b":2,"c":3}"#), &json(params)).unwrap();
    assert_eq!(run("null").to_string(), r#"{"a/b":"1/2","c":3}"#);
    assert_eq!(run(r#"{"merge":"pairs"}"#).to_string(), r#"{"a/b":"1/2","c/b":"3/2"}"#);
}
