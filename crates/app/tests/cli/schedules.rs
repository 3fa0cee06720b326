//! `jobmill schedules`.

use crate::server::{Server, folder, items, text};

#[test]
fn a_schedule_is_put_listed_triggered_and_deleted() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let put = ["schedules", "put", "nightly", "--cron", "30 3 * * *", "--time-zone"];
    let rest = ["Europe/Berlin", "range_report", "--input", r#"{"start":1,"end":3}"#, "--json"];
    let schedule = server.run(&[&put[..], &rest].concat()).with(0).json();
    assert_eq!(text(&schedule, "time_zone"), "Europe/Berlin");
    let list = server.run(&["schedules", "list"]).with(0);
    assert!(list.out.contains("nightly") && list.out.contains("range_report"), "{}", list.out);
    let id = server.run(&["schedules", "trigger", "nightly"]).with(0).out;
    server.run(&["jobs", "wait", id.trim()]).with(0);
    server.run(&["schedules", "pause", "nightly"]).with(0);
    let list = server.run(&["schedules", "list"]).with(0);
    assert!(list.out.contains("paused"), "{}", list.out);
    server.run(&["schedules", "resume", "nightly"]).with(0);
    let shown = server.run(&["schedules", "show", "nightly", "--json"]).with(0).json();
    assert!(text(&shown, "next_at").ends_with("30:00.000Z"));
    server.run(&["schedules", "delete", "nightly"]).with(0);
    let empty = server.run(&["schedules", "list", "--json"]).with(0).json();
    assert!(items(&empty).is_empty());
    let unknown = server.run(&["schedules", "show", "nightly"]).with(1);
    assert!(unknown.err.contains("404"), "{}", unknown.err);
    server.run(&["schedules", "put", "bad", "--cron", "x", "range_report"]).with(1);
    server.run(&["schedules", "put", "bad"]).with(2);
}
