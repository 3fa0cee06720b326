//! `jobmill jobs retry`.

use crate::server::{Server, folder};

#[test]
fn a_cancelled_job_runs_again_from_its_beginning() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let input = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--delay", "1h"];
    let id = server.submit(&input);
    server.run(&["jobs", "cancel", &id]).with(0);
    server.run(&["jobs", "retry", &id]).with(0);
    server.run(&["jobs", "wait", &id, "--timeout", "30s"]).with(0);
}

#[test]
fn a_completed_job_is_not_retried() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let id = server.submit(&["range_report", "--input", r#"{"start":1,"end":2}"#]);
    server.run(&["jobs", "wait", &id]).with(0);
    let ended = server.run(&["jobs", "retry", &id]).with(1);
    assert!(ended.err.contains("409"), "{}", ended.err);
}
