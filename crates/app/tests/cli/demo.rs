//! `jobmill demo`: a newcomer's first minute.

use std::net::TcpListener;
use std::path::Path;

use jobmill_model::Value;

use crate::server::{Server, folder, jobmill, run, text};

const ONCE: [&str; 4] = ["demo", "--once", "--listen", "127.0.0.1:0"];

#[test]
fn it_shows_the_documents_examples_with_their_results() {
    let ended = run(folder().path(), &ONCE).with(0);
    for part in [
        r#""1 5": "2 6""#,
        r#""3 7": "4 8""#,
        r#""How are you? Who are you?": "Fine. I am Bob.""#,
        r#""key1 key2": "value1 value2""#,
        "/api/verify_status?job_id=",
        "/check_status/",
        r#""valid_input_check","#,
        r#""totalRows": "1""#,
        r#"-d '{"start":1, "end":2}'"#,
        "UnevenParts",
        "every answer as expected",
    ] {
        assert!(ended.out.contains(part), "{part} in {}", ended.out);
    }
    assert!(!ended.out.contains('\x1b'), "no colours where there is no terminal");
}

#[test]
fn as_json_it_is_one_line_for_each_call() {
    let args = [&ONCE[..], &["--json"]].concat();
    let ended = run(folder().path(), &args).with(0);
    let calls: Vec<Value> =
        ended.out.lines().map(|line| Value::from_json(line.as_bytes()).unwrap()).collect();
    assert!(calls.len() > 20, "{}", ended.out);
    assert!(calls.iter().all(|call| text(call, "curl").starts_with("curl ")));
}

#[test]
fn the_folder_is_removed_at_the_end() {
    let folder = folder();
    let mut command = jobmill(folder.path());
    command.args(ONCE).env("TMPDIR", folder.path());
    assert_eq!(command.output().unwrap().status.code(), Some(0));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn it_keeps_serving_until_a_signal() {
    let folder = folder();
    let mut command = jobmill(folder.path());
    command.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", folder.path());
    let mut demo = Server::of(command);
    demo.hear("until Ctrl-C");
    demo.run(&["jobs", "list"]).with(0);
    demo.signal("INT");
    assert_eq!(demo.wait(), 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_address_that_was_asked_for_and_is_taken_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(Path::new("."), &["demo", "--once", "--listen", &address]).with(1);
    assert!(ended.err.contains("another program listens there"), "{}", ended.err);
}
