//! `jobmill run`: a flow in the terminal, without a server.

use crate::server::{UNEVEN, folder, jobmill, product, run, run_with_input};

const PAIRS: &str = r#"{"1":"2","3":"4","5":"6","7":"8"}"#;

#[test]
fn a_result_is_printed_one_entry_a_line() {
    let ended = run(folder().path(), &["run", "expand_reduce_flow", "--input", PAIRS]).with(0);
    insta::assert_snapshot!(ended.out, @r#"
    {
      "1 5": "2 6",
      "1 7": "2 8",
      "3 5": "4 6",
      "3 7": "4 8"
    }
    "#);
    assert_eq!(ended.err, "");
}

#[test]
fn with_json_it_is_one_line() {
    let args = ["run", "expand_reduce_flow", "--json", "--input", "-", "--params"];
    let params = r#"{"merge":"zip"}"#;
    let input = format!(r#"[{PAIRS},{{}},{{"a":"b"}}]"#);
    let folder = folder();
    let mut command = jobmill(folder.path());
    command.args(args).arg(params);
    let ended = run_with_input(command, &input).with(0);
    assert_eq!(ended.out, "[{\"1 5\":\"2 6\",\"3 7\":\"4 8\"},{},{}]\n");
    let mut command = jobmill(folder.path());
    command.args(["run", "expand_reduce_flow", "--input", "-"]);
    let pretty = run_with_input(command, &input).with(0);
    assert!(pretty.json().as_list().is_some_and(|list| list.len() == 3), "{}", pretty.out);
}

#[test]
fn a_large_result_is_written_as_it_is_made() {
    let folder = folder();
    let input = product(folder.path(), 400);
    let ended = run(folder.path(), &["run", "expand_reduce_flow", "--input", &input]).with(0);
    assert_eq!(ended.out.lines().count(), 160_002);
}

#[test]
fn input_that_does_not_fit_is_a_usage_error_with_every_problem() {
    let args = ["run", "expand_reduce_flow", "--input", "7", "--params", r#"{"merge":"zipp"}"#];
    let ended = run(folder().path(), &args).with(2);
    assert!(ended.err.contains("/input: ") && ended.err.contains("/params/merge: "), "{ended:?}");
    assert_eq!(ended.out, "");
}

#[test]
fn an_unknown_flow_is_a_usage_error_with_a_near_one() {
    let ended = run(folder().path(), &["run", "range_repord", "--input", "1"]).with(2);
    assert_eq!(
        ended.err,
        "error: no flow is called \"range_repord\"; did you mean range_report?\n"
    );
}

#[test]
fn a_flow_that_fails_is_exit_code_1() {
    let ended = run(folder().path(), &[&["run"], &UNEVEN[..]].concat()).with(1);
    assert!(ended.err.starts_with("error: UnevenParts: "), "{}", ended.err);
}
