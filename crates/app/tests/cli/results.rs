//! `jobmill jobs results`.

use crate::server::{Server, folder, product, text};

#[test]
fn the_result_of_a_completed_job_is_printed() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let id = server.submit(&["expand_reduce_flow", "--input", r#"{"a":1,"b":2}"#]);
    let ended = server.run(&["jobs", "results", &id, "--wait", "30s"]).with(0);
    assert_eq!(ended.out, "{\"a b\": \"1 2\"}\n");
    let whole = server.run(&["jobs", "results", &id, "--json"]).with(0).json();
    assert_eq!((text(&whole, "id"), text(&whole, "status")), (id.as_str(), "completed"));
}

#[test]
fn an_unfinished_job_is_exit_code_4() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let input = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--delay", "1h"];
    let id = server.submit(&input);
    let ended = server.run(&["jobs", "results", &id]).with(4);
    assert!(ended.err.contains("it is scheduled"), "{}", ended.err);
}

#[test]
fn a_large_result_passes_through_as_it_arrives() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let input = product(folder.path(), 300);
    let id = server.submit(&["expand_reduce_flow", "--input", &input]);
    let ended = server.run(&["jobs", "results", &id, "--wait", "60s", "--json"]).with(0);
    let answer = ended.json();
    let result = answer.as_map().and_then(|map| map.get("result")?.as_map()).unwrap();
    assert_eq!(result.len(), 90_000);
    assert_eq!(result.at(89_999).map(|(key, _)| &**key), Some("k299 k599"));
}
