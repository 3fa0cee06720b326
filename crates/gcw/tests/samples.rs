//! Every public sample definition passes the checks, and those that need nothing run.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jobmill_gcw::local::{self, QuietWorld};
use jobmill_gcw::{Limits, Workflow, check};
use jobmill_model::Value;

/// The folder of the samples, if it is on this machine.
fn folder() -> Option<PathBuf> {
    let default =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/gcp-workflows/samples");
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    let folder = std::env::var_os("JOBMILL_SAMPLES").map_or(default, PathBuf::from);
    if folder.join("MANIFEST.tsv").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: no samples at {} (set JOBMILL_SAMPLES)", folder.display());
    None
}

/// The rows of the manifest: path, class, note.
fn manifest(folder: &Path) -> Vec<(String, String, String)> {
    let text = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            (cells[0].to_owned(), cells[7].to_owned(), cells[8].to_owned())
        })
        .collect()
}

#[test]
fn every_sample_that_is_no_template_passes_the_checks() {
    let Some(folder) = folder() else { return };
    let mut refused = Vec::new();
    let mut checked = 0;
    for (path, _, note) in manifest(&folder) {
        if note == "template" {
            continue;
        }
        checked += 1;
        let text = fs::read_to_string(folder.join(&path)).unwrap();
        for (name, limits) in [("lifted", Limits::lifted()), ("google", Limits::google())] {
            let outcome = check(&text, &limits);
            if outcome.has_errors() {
                let findings: Vec<String> =
                    outcome.diagnostics.iter().map(ToString::to_string).collect();
                refused.push(format!("{path} ({name})\n{}", findings.join("\n")));
            }
        }
    }
    assert!(checked > 90, "only {checked} samples were found");
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// What a sample gives: its path's end, its argument, its result or its error's payload.
const RESULTS: &[(&str, &str, Result<&str, &str>)] = &[
    ("basic_return.yaml", "null", Ok(r#""hello world""#)),
    ("basic_string_concat.yaml", "null", Ok(r#""Hello, World!""#)),
    (
        "basic_types.yaml",
        "null",
        Ok("{\"bool\":true,\"double\":3.14,\"int\":42,\"list\":[1,2,3],\
             \"map\":{\"key\":\"value\"},\"null\":null,\"string\":\"hello\"}"),
    ),
    (
        "error_tags_check.yaml",
        "null",
        Ok(r#"{"is_http":true,"is_not_found":true,"is_timeout":false}"#),
    ),
    ("error_unhandled.yaml", "null", Err(r#"{"code":500,"message":"unhandled error"}"#)),
    (
        "expr_property_access.yaml",
        "null",
        Ok("{\"bracket_access\":\"Alice\",\"dot_access\":\"Alice\",\"list_index\":85,\
             \"nested_dot\":\"Wonderland\"}"),
    ),
    ("for_break.yaml", "null", Ok("6")),
    ("for_list_index.yaml", "null", Ok(r#"[["0:a"],["1:b"],["2:c"]]"#)),
    ("next_end.yaml", "null", Ok("null")),
    ("subworkflow_recursion.yaml", "null", Ok("120")),
    ("src/args.workflows.yaml", r#"{"firstName":"Ada","lastName":"L"}"#, Ok(r#""Hello Ada L""#)),
    ("src/args.workflows.json", r#"{"firstName":"Ada","lastName":"L"}"#, Ok(r#""Hello Ada L""#)),
    ("src/array.workflows.yaml", "null", Ok(r#"{"concat_result":"foobar"}"#)),
    ("src/array.workflows.json", "null", Ok(r#"{"concat_result":"foobar"}"#)),
    ("src/step_iterate.workflows.yaml", "null", Ok(r#"{"concat_result":"foobar"}"#)),
    ("src/step_iterate.workflows.json", "null", Ok(r#"{"concat_result":"foobar"}"#)),
    ("src/dictionary.workflows.yaml", "null", Ok("null")),
    ("src/dictionary.workflows.json", "null", Ok("null")),
    ("src/vars.workflows.yaml", "null", Ok("null")),
    ("src/vars.workflows.json", "null", Ok("null")),
    ("gitops/workflow.yaml", "null", Ok(r#""Hello World""#)),
    (
        "multi-env-deployment/workflow2.yaml",
        "null",
        Ok(r#"{"url1":"REPLACE_url1","url2":"REPLACE_url2"}"#),
    ),
    ("workflow-child.yaml", r#"{"iteration":3}"#, Ok(r#""Hello world3""#)),
    ("workflow-child.yaml", r#"{"iteration":4}"#, Err(r#""Error with iteration 4""#)),
    (
        "eventarc-auditlog-bigquery/workflow.yaml",
        "{\"data\":{\"protoPayload\":{\"authenticationInfo\":{\"principalEmail\":\"a@b\"},\
         \"serviceData\":{\"jobCompletedEvent\":{\"job\":{\"jobConfiguration\":\
         {\"query\":{\"query\":\"Q\"}}}}}}}}",
        Ok(r#"{"query":"Q","user":"a@b"}"#),
    ),
    ("route-cloudguard-eventarc/workflow.yaml", r#"{"id":"1"}"#, Ok("null")),
];

#[test]
fn samples_that_need_nothing_run_to_their_result() {
    let Some(folder) = folder() else { return };
    let rows = manifest(&folder);
    for (end, argument, expected) in RESULTS {
        let (path, ..) = rows.iter().find(|(path, ..)| path.ends_with(end)).unwrap();
        let got = run(&folder.join(path), argument, &Limits::lifted());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(got, expected, "{path}");
    }
    for (path, class, note) in &rows {
        let has_result = RESULTS.iter().any(|(end, ..)| path.ends_with(end));
        if class == "pure" && note != "template" && !path.contains("overflow") {
            assert!(has_result, "{path} has no expected result");
        }
    }
}

#[test]
fn the_recursion_sample_overflows_with_both_limits() {
    let Some(folder) = folder() else { return };
    let rows = manifest(&folder);
    let (path, ..) = rows.iter().find(|(path, ..)| path.contains("overflow")).unwrap();
    for (limits, depth) in [(Limits::google(), 20), (Limits::lifted(), 1000)] {
        let payload = run(&folder.join(path), "null", &limits).unwrap_err();
        let message = format!("RecursionError: maximum call depth of {depth} exceeded");
        assert_eq!(payload, format!(r#"{{"message":"{message}","tags":["RecursionError"]}}"#));
    }
}

/// Every sample runs to some end in a world where calls are answered with nothing, and its
/// journal folds again to the same end; a JSON twin asks for the same effects as its YAML.
#[test]
fn every_sample_runs_to_an_end_and_twins_do_the_same() {
    let Some(folder) = folder() else { return };
    let mut limits = Limits::google();
    limits.steps_per_execution = 5_000;
    let mut seen = BTreeMap::new();
    for (path, _, note) in manifest(&folder) {
        if note == "template" {
            continue;
        }
        let text = fs::read_to_string(folder.join(&path)).unwrap();
        let program = check(&text, &limits).program.unwrap();
        let workflow = Workflow { program, env: Arc::default() };
        let argument = Value::from_json(br#"{"n": 1, "items": [], "posts": []}"#).unwrap();
        let run = local::run(&workflow, argument.clone(), &mut QuietWorld::default()).unwrap();
        let (fold, effects) = local::refold(&workflow, argument, &run.journal).unwrap();
        assert_eq!((fold.end(), &effects), (Some(&run.end), &run.effects), "{path}");
        let stem = path.trim_end_matches(".json").trim_end_matches(".yaml").to_owned();
        let end = run.end.map_err(|fault| fault.message);
        let outcome = (end, run.effects);
        if let Some(twin) = seen.insert(stem, outcome.clone()) {
            assert_eq!(twin, outcome, "{path} and its twin");
        }
    }
}

fn run(path: &Path, argument: &str, limits: &Limits) -> Result<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let program = check(&text, limits).program.unwrap();
    let workflow = Workflow { program, env: Arc::default() };
    let input = Value::from_json(argument.as_bytes()).unwrap();
    let run = local::run(&workflow, input, &mut QuietWorld::default()).unwrap();
    run.end
        .map(|value| value.to_string())
        .map_err(|fault| jobmill_gcw::Failure::from_fault(&fault).unwrap().payload)
}
