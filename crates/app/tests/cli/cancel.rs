//! `jobmill jobs cancel`.

use crate::server::{Server, folder, product};

#[test]
fn a_waiting_job_is_cancelled() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let input = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--delay", "1h"];
    let id = server.submit(&input);
    let ended = server.run(&["jobs", "cancel", &id]).with(0);
    assert!(ended.out.contains("cancelled"), "{}", ended.out);
    assert_eq!(server.status(&id), "cancelled");
}

#[test]
fn a_running_job_is_cancelled() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let input = product(folder.path(), 3_000);
    let id = server.submit(&["expand_reduce_flow", "--input", &input]);
    while server.status(&id) == "submitted" {}
    server.run(&["jobs", "cancel", &id]).with(0);
    assert_eq!(server.status(&id), "cancelled");
    assert_eq!(server.stop(), 0, "the work itself stops too");
}

#[test]
fn one_that_cannot_be_cancelled_does_not_keep_the_others_from_it() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let input = ["range_report", "--input", r#"{"start":1,"end":2}"#];
    let done = server.submit(&input);
    server.run(&["jobs", "wait", &done]).with(0);
    let later = server.submit(&[&input[..], &["--delay", "1h"]].concat());
    let ended = server.run(&["jobs", "cancel", &done, &later]).with(1);
    assert!(ended.err.contains(&done), "{}", ended.err);
    assert_eq!(server.status(&later), "cancelled");
}
