//! The example workers of the folder `examples`, run as their authors' readers would.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jobmill::client::Request;
use jobmill_model::Value;

use crate::server::{Server, field, folder, is_there, items, number, text};

/// A lease that is over long before a worker is done with what it takes at once.
const LEASE_SECONDS: &str = "3";
const SLOW: &str = r#"{"flow":"letter","input":{"to":"Ada","seconds_a_line":0.2,
    "lines":["Dear Ada,","all","is","well."]}}"#;

struct Worker {
    child: Child,
}

impl Worker {
    fn start(server: &Server, program: &str, script: &str, outbox: &Path) -> Self {
        let examples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let mut command = Command::new(program);
        command.arg(examples.join(script)).arg(outbox).stdin(Stdio::null());
        command.env("JOBMILL_SERVER", &server.url).env("LEASE_SECONDS", LEASE_SECONDS);
        Self { child: command.spawn().unwrap() }
    }

    /// Asks it to stop and waits until it has; whether it ended well.
    fn stop(mut self) -> bool {
        self.signal("TERM");
        self.child.wait().unwrap().success()
    }

    fn signal(&self, name: &str) {
        let args = [format!("-{name}"), self.child.id().to_string()];
        assert!(Command::new("kill").args(args).status().unwrap().success());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn submit(server: &Server, jobs: &[&str]) -> Vec<String> {
    let body = format!("[{}]", jobs.join(","));
    let (status, answer) = server.ask(&Request::post("/jobs/bulk").body("application/json", body));
    assert_eq!(status, 202, "{answer}");
    items(&answer).iter().map(|job| text(job, "id").to_owned()).collect()
}

fn job(server: &Server, id: &str) -> Value {
    server.ask(&Request::get(format!("/jobs/{id}"))).1
}

/// Looks at the job until a line of its letter is written.
fn until_begun(server: &Server, id: &str) {
    while number(field(&job(server, id), "progress"), "done") == 0 {}
}

/// Tries everything that a worker does.
#[track_caller]
fn performs(program: &str, script: &str) {
    let folder = folder();
    let mut server = Server::start(folder.path(), &["--log", "warn"]);
    let declared = Request::put("/flows/letter").body("application/json", "{}");
    assert_eq!(server.ask(&declared).0, 201);
    let outbox = folder.path().join("outbox");
    let letter = submit(&server, &[SLOW]).remove(0);
    let worker = Worker::start(&server, program, script, &outbox);
    let number = fails_and_is_tried_again(&server, &letter, &outbox);
    let (status, answer) = server.ask(&Request::get(format!("/jobs/{letter}/results?wait=60s")));
    assert_eq!((status, text(&answer, "status")), (200, "completed"), "{answer}");
    let expected = format!(r#"{{"to":"Ada","file":"{number}.txt","lines":4}}"#);
    assert_eq!(field(&answer, "result").to_string(), expected, "the step was not done twice");
    let written = std::fs::read_to_string(outbox.join(format!("{number}.txt"))).unwrap();
    assert_eq!(written, "Dear Ada,\nall\nis\nwell.\n");

    let bad = submit(&server, &[r#"{"flow":"letter","input":7}"#]).remove(0);
    let (_, answer) = server.ask(&Request::get(format!("/jobs/{bad}/results?wait=60s")));
    assert_eq!(text(field(&answer, "error"), "type"), "BadLetter");
    assert_eq!(text(&answer, "status"), "failed", "it is not tried again");

    stops_in_order(&server, worker);
    server.signal("TERM");
    assert_eq!(server.wait(), 0);
    let said = server.rest();
    assert!(said.iter().all(|line| !line.contains("WARN")), "a lease has ended: {said:?}");
}

/// Sees an attempt fail for want of an outbox and makes one; answers what its step came to.
fn fails_and_is_tried_again(server: &Server, id: &str, outbox: &Path) -> String {
    let errors = Request::get(format!("/jobs/{id}/errors"));
    let failed = loop {
        let (_, answer) = server.ask(&errors);
        if let Some(failed) = items(&answer).first() {
            break text(failed, "type").to_owned();
        }
    };
    assert_eq!(failed, "NoOutbox");
    let (_, step) = server.ask(&Request::get(format!("/jobs/{id}/effects/number")));
    std::fs::create_dir(outbox).unwrap();
    text(&step, "value").to_owned()
}

/// Cancels one of many jobs that the worker holds and stops it in the middle of the next.
fn stops_in_order(server: &Server, worker: Worker) {
    let ids = submit(server, &[SLOW; 8]);
    until_begun(server, &ids[0]);
    server.run(&["jobs", "cancel", &ids[0]]).with(0);
    until_begun(server, &ids[1]);
    assert!(worker.stop());
    let states: Vec<_> = ids.iter().map(|id| text(&job(server, id), "status").to_owned()).collect();
    assert_eq!(states[..2], ["cancelled", "completed"]);
    assert_eq!(states[7], "submitted", "what is not begun is handed back");
    assert!(!states.contains(&"running".to_owned()), "{states:?}");
}

/// Has a worker fall silent in the middle of a letter; another takes it over within one lease.
#[track_caller]
fn is_taken_over(program: &str, script: &str, signal: &str) {
    let folder = folder();
    let server = Server::start(folder.path(), &["--workers", "0", "--log", "warn"]);
    let declared = Request::put("/flows/letter").body("application/json", "{}");
    assert_eq!(server.ask(&declared).0, 201);
    let outbox = folder.path().join("outbox");
    std::fs::create_dir(&outbox).unwrap();
    let id = submit(&server, &[SLOW]).remove(0);
    let mut silent = Worker::start(&server, program, script, &outbox);
    until_begun(&server, &id);
    silent.signal(signal);
    if signal == "KILL" {
        silent.child.wait().unwrap();
    }
    let heir = Worker::start(&server, program, script, &outbox);
    let results = Request::get(format!("/jobs/{id}/results?wait=60s"));
    let (status, answer) = server.ask(&results);
    assert_eq!((status, text(&answer, "status")), (200, "completed"), "{answer}");
    assert_eq!(number(&job(&server, &id), "attempt"), 1, "a lost worker is no attempt");
    let letters: Vec<_> = std::fs::read_dir(&outbox).unwrap().collect();
    assert_eq!(letters.len(), 1, "the step that was recorded was not done again");
    let written = std::fs::read_to_string(letters[0].as_ref().unwrap().path()).unwrap();
    assert_eq!(written, "Dear Ada,\nall\nis\nwell.\n");
    if signal == "STOP" {
        silent.signal("CONT");
        assert!(silent.stop(), "it goes on, learns that the letter is not its own, and stops");
    }
    assert!(heir.stop());
    assert_eq!(server.ask(&results).1, answer, "who comes late changes nothing");
}

#[test]
fn the_job_of_a_killed_or_frozen_worker_in_python_is_taken_over() {
    if is_there("python3") {
        ["KILL", "STOP"].into_iter().for_each(|it| is_taken_over("python3", "worker.py", it));
    }
}

#[test]
fn the_job_of_a_killed_or_frozen_worker_for_the_shell_is_taken_over() {
    if ["bash", "curl", "jq", "ps"].into_iter().all(is_there) {
        ["KILL", "STOP"].into_iter().for_each(|it| is_taken_over("bash", "worker.sh", it));
    }
}

#[test]
fn the_job_of_a_killed_or_frozen_worker_for_node_is_taken_over() {
    if is_there("node") {
        ["KILL", "STOP"].into_iter().for_each(|it| is_taken_over("node", "worker.mjs", it));
    }
}

#[test]
fn the_worker_in_python_performs_jobs_and_stops_in_order() {
    if is_there("python3") {
        performs("python3", "worker.py");
    }
}

#[test]
fn the_worker_for_the_shell_performs_jobs_and_stops_in_order() {
    if ["bash", "curl", "jq"].into_iter().all(is_there) {
        performs("bash", "worker.sh");
    }
}

#[test]
fn the_worker_for_node_performs_jobs_and_stops_in_order() {
    if is_there("node") {
        performs("node", "worker.mjs");
    }
}
