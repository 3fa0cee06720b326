//! `jobmill queues`.

use crate::server::{Server, folder};

#[test]
fn a_queue_is_paused_limited_shown_and_resumed() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let paused = server.run(&["queues", "pause", "mail"]).with(0);
    assert!(paused.out.contains("mail  paused"), "{}", paused.out);
    let job = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--queue", "mail"];
    let id = server.submit(&job);
    let rules = ["--concurrency", "2", "--rate", "10/1s", "--key-limit", "3"];
    server.run(&[&["queues", "set", "mail"][..], &rules].concat()).with(0);
    let list = server.run(&["queues", "list"]).with(0);
    let row = list.out.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(row, ["mail", "paused", "1", "0", "0", "2", "10/1s", "3"]);
    assert_eq!(server.status(&id), "submitted");
    server.run(&["queues", "resume", "mail"]).with(0);
    server.run(&["jobs", "wait", &id]).with(0);
    let shown = server.run(&["queues", "show", "mail", "--json"]).with(0);
    assert!(shown.out.contains("\"paused\""), "{}", shown.out);
}

#[test]
fn a_rate_that_is_none_is_refused() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let refused = server.run(&["queues", "set", "mail", "--rate", "fast"]).with(2);
    assert!(refused.err.contains("10/1s"), "{}", refused.err);
    server.run(&["queues", "set", "mail", "--rate", "10/never"]).with(1);
}

#[test]
fn rules_and_pauses_outlive_the_server() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    server.run(&["queues", "set", "mail", "--concurrency", "7"]).with(0);
    server.run(&["queues", "pause", "mail"]).with(0);
    assert_eq!(server.stop(), 0);
    let server = Server::start(folder.path(), &[]);
    let shown = server.run(&["queues", "show", "mail"]).with(0);
    let row = shown.out.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(row, ["mail", "paused", "0", "0", "0", "7", "1"]);
}
