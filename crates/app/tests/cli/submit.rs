//! `jobmill jobs submit`.

use crate::server::{Server, folder, items, run, run_with_input, text};

const PAIRS: &str = r#"{"1":"2","3":"4","5":"6","7":"8"}"#;

#[test]
fn it_prints_the_id_and_nothing_else() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let ended = server.run(&["jobs", "submit", "expand_reduce_flow", "--input", PAIRS]).with(0);
    assert_eq!((ended.out.trim().len(), ended.err.as_str()), (36, ""));
}

#[test]
fn with_wait_it_prints_the_result() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let args = ["jobs", "submit", "expand_reduce_flow", "--input", PAIRS, "--wait"];
    let ended = server.run(&args).with(0);
    assert_eq!(ended.json().to_string(), r#"{"1 5":"2 6","1 7":"2 8","3 5":"4 6","3 7":"4 8"}"#);
    let zip = [&args[..], &["--params", r#"{"merge":"zip"}"#, "--json"]].concat();
    let answer = server.run(&zip).with(0).json();
    let result = answer.as_map().and_then(|map| map.get("result")).unwrap();
    assert_eq!(result.to_string(), r#"{"1 5":"2 6","3 7":"4 8"}"#);
}

#[test]
fn with_wait_a_failed_job_is_exit_code_1() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let params = r#"{"merge":"zip","uneven":"error"}"#;
    let input = r#"{"a":1,"b":2,"c":3}"#;
    let args =
        ["jobs", "submit", "expand_reduce_flow", "--input", input, "--params", params, "--wait"];
    let ended = server.run(&args).with(1);
    assert!(ended.err.contains("failed: UnevenParts"), "{}", ended.err);
    assert_eq!(ended.out, "");
}

#[test]
fn every_option_reaches_the_job() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let args = [
        "jobs",
        "submit",
        "expand_reduce_flow",
        "--input",
        PAIRS,
        "--queue",
        "slow",
        "--priority",
        "-5",
        "--delay",
        "1h",
        "--tag",
        "a",
        "--tag",
        "b",
        "--max-attempts",
        "7",
        "--timeout",
        "5m",
        "--json",
    ];
    let job = server.run(&args).with(0).json();
    assert_eq!((text(&job, "queue"), text(&job, "status")), ("slow", "scheduled"));
    let shown = job.to_string();
    for part in [r#""priority":-5"#, r#""max_attempts":7"#, r#""tags":["a","b"]"#] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn the_same_key_gives_the_same_job() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let args = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--idempotency-key", "k"];
    let first = server.submit(&args);
    assert_eq!(server.submit(&args), first);
    let other = ["range_report", "--input", r#"{"start":1,"end":3}"#, "--idempotency-key", "k"];
    let refused = server.run(&[&["jobs", "submit"], &other[..]].concat()).with(1);
    assert!(refused.err.contains("422"), "{}", refused.err);
}

#[test]
fn input_comes_from_a_file_or_from_standard_input() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let path = folder.path().join("input.json");
    std::fs::write(&path, PAIRS).unwrap();
    let from_file = format!("@{}", path.display());
    server.submit(&["expand_reduce_flow", "--input", &from_file]);
    let args = ["jobs", "submit", "expand_reduce_flow", "--input", "-", "--wait"];
    let ended = run_with_input(server.command(&args), PAIRS).with(0);
    assert!(ended.out.contains("1 5"), "{}", ended.out);
}

#[test]
fn a_file_of_jobs_is_accepted_whole_or_not_at_all() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let line = r#"{"flow":"range_report","input":{"start":1,"end":2}}"#;
    let path = folder.path().join("jobs.ndjson");
    let file = path.to_str().unwrap();
    std::fs::write(&path, format!("{line}\n{line}\n{line}\n")).unwrap();
    let ended = server.run(&["jobs", "submit", "--bulk", file]).with(0);
    assert_eq!(ended.out.lines().count(), 3);
    std::fs::write(&path, format!("{line}\n{{\"flow\":\"nope\"}}\n")).unwrap();
    let refused = server.run(&["jobs", "submit", "--bulk", file]).with(1);
    assert!(refused.err.contains("/1/flow"), "{}", refused.err);
    let listed = server.run(&["jobs", "list", "--json"]).with(0).json();
    assert_eq!(items(&listed).len(), 3);
}

#[test]
fn a_refusal_shows_every_problem_with_its_pointer() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let params = r#"{"merge":"zipp","uneven":1}"#;
    let args = ["jobs", "submit", "expand_reduce_flow", "--input", "7", "--params", params];
    let ended = server.run(&args).with(1);
    for pointer in ["/input:", "/params/merge:", "/params/uneven:"] {
        assert!(ended.err.contains(pointer), "{pointer} in {}", ended.err);
    }
}

#[test]
fn input_that_is_not_json_is_a_usage_error() {
    let args = ["jobs", "submit", "f", "--input", "{\n  x"];
    let ended = run(folder().path(), &args).with(2);
    assert!(ended.err.contains("the input is not JSON"), "{}", ended.err);
    assert!(ended.err.contains("line 2"), "{}", ended.err);
}

#[test]
fn without_a_server_it_is_exit_code_3_with_advice() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let url = server.url.clone();
    assert_eq!(server.stop(), 0);
    let args = ["jobs", "submit", "f", "--input", "1", "--server", &url];
    let ended = run(folder.path(), &args).with(3);
    assert!(ended.err.contains("is the server running?"), "{}", ended.err);
    assert!(ended.err.contains("jobmill serve"), "{}", ended.err);
}
