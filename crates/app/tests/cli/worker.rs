//! `jobmill worker`: processes of their own that perform jobs, and what becomes of their jobs
//! when they die, freeze or stop.

use jobmill::client::Request;
use tempfile::TempDir;

use crate::server::{Ended, Server, field, folder, items, jobmill, number, product, text};

/// Keys in each half of a product that takes a while.
const LONG: usize = 700;

/// A server that only accepts and leases jobs.
fn idle_server(folder: &TempDir) -> Server {
    Server::start(folder.path(), &["--workers", "0", "--log", "warn"])
}

/// Submits a job that takes a while, and a worker of one place that has begun it.
fn begun(server: &Server, folder: &TempDir, args: &[&str]) -> (String, Server) {
    let input = product(folder.path(), LONG);
    let id = server.submit(&["expand_reduce_flow", "--input", &input]);
    assert_eq!(server.status(&id), "submitted", "the server leaves it to others");
    let worker = server.worker(&[&["--places", "1", "--lease", "2s"], args].concat());
    while server.status(&id) == "submitted" {}
    (id, worker)
}

/// Waits until the job is completed at its first attempt with every entry of its product.
#[track_caller]
fn completes(server: &Server, id: &str) {
    server.run(&["jobs", "wait", id, "--timeout", "2m"]).with(0);
    let job = server.run(&["jobs", "show", id, "--json"]).with(0).json();
    assert_eq!(number(&job, "attempt"), 1, "a lost worker is no attempt");
    let last = LONG * LONG - 1;
    let page = server.ask(&Request::get(format!("/jobs/{id}/pairs?cursor={last}&limit=9"))).1;
    assert_eq!(items(&page).len(), 1, "the result is whole");
    let key = format!("k{} k{}", LONG - 1, 2 * LONG - 1);
    assert_eq!(text(&items(&page)[0], "key"), key);
}

#[test]
fn two_workers_share_a_queue() {
    let folder = folder();
    let server = idle_server(&folder);
    let workers = [(); 2].map(|()| server.worker(&["--places", "2"]));
    let job = r#"{"flow":"range_report","input":{"start":1,"end":9}}"#;
    let wrong = r#"{"flow":"expand_reduce_flow","input":{"a":1,"b":2,"c":3},"max_attempts":1,
        "params":{"merge":"zip","uneven":"error"}}"#;
    let jobs = format!("[{},{wrong}]", [job; 300].join(","));
    let request = Request::post("/jobs/bulk").body("application/json", jobs);
    let (_, answer) = server.ask(&request);
    let ids: Vec<_> = items(&answer).iter().map(|job| text(job, "id")).collect();
    for id in &ids[..300] {
        server.run(&["jobs", "wait", id, "--timeout", "1m"]).with(0);
    }
    let failed = server.run(&["jobs", "wait", ids[300], "--timeout", "1m"]).with(1);
    assert!(failed.err.contains("UnevenParts"), "{}", failed.err);
    for worker in workers {
        assert_eq!(worker.stop(), 0);
    }
}

#[test]
fn the_job_of_a_killed_worker_is_taken_over_within_one_lease() {
    let folder = folder();
    let server = idle_server(&folder);
    let (id, killed) = begun(&server, &folder, &[]);
    killed.signal("KILL");
    let call = r#"{"worker":"heir","flows":["expand_reduce_flow"],"wait":"4s"}"#;
    let call = Request::post("/queues/default/lease").body("application/json", call);
    let (_, leased) = server.ask(&call);
    let taken = field(&leased, "jobs").as_list().unwrap();
    assert_eq!(taken.iter().map(|job| text(job, "id")).collect::<Vec<_>>(), [&id]);
    let body = r#"{"token":2}"#;
    let release = Request::post(format!("/jobs/{id}/release")).body("application/json", body);
    assert_eq!(server.ask(&release).0, 200);
    let _heir = server.worker(&[]);
    completes(&server, &id);
}

#[test]
fn the_job_of_a_frozen_worker_is_taken_over_and_its_late_end_is_refused() {
    let folder = folder();
    let server = idle_server(&folder);
    let (id, mut frozen) = begun(&server, &folder, &[]);
    frozen.signal("STOP");
    let _heir = server.worker(&[]);
    completes(&server, &id);
    let late = Request::post(format!("/jobs/{id}/complete"))
        .body("application/json", r#"{"token":1,"result":"late"}"#);
    let (status, refused) = server.ask(&late);
    assert_eq!((status, text(&refused, "type")), (409, "urn:jobmill:problem:lease-ended"));
    let late = Request::put(format!("/jobs/{id}/result")).body("application/json", "\"late\"");
    assert_eq!(server.ask(&late.lease_token(1)).0, 409);
    frozen.signal("CONT");
    frozen.hear("stop working on it");
    frozen.signal("TERM");
    assert_eq!(frozen.wait(), 0);
    completes(&server, &id);
}

#[test]
fn a_worker_that_stops_hands_back_what_it_cannot_finish() {
    let folder = folder();
    let server = idle_server(&folder);
    let (id, worker) = begun(&server, &folder, &["--grace", "0s"]);
    assert_eq!(worker.stop(), 0);
    assert_eq!(server.status(&id), "submitted");
    let _heir = server.worker(&[]);
    completes(&server, &id);
}

#[test]
fn a_worker_waits_for_a_server_that_is_away_and_goes_on_with_the_next() {
    let folder = folder();
    let server = idle_server(&folder);
    let address = server.url.trim_start_matches("http://").to_owned();
    let mut worker = server.worker(&[]);
    assert_eq!(server.stop(), 0);
    worker.hear("no jobs can be leased now");
    let mut command = jobmill(folder.path());
    command.args(["serve", "--workers", "0", "--data", "data", "--listen", &address]);
    let next = Server::of(command);
    let args = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--wait"];
    next.run(&[&["jobs", "submit"], &args[..]].concat()).with(0);
    assert_eq!(worker.stop(), 0);
}

#[test]
fn a_worker_that_is_not_let_in_or_is_asked_for_nonsense_says_so() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--keys", "on"]);
    let ended = server.run(&["worker"]).with(1);
    assert!(ended.err.contains("401"), "{}", ended.err);
    let wrong = |args: &[&str]| -> Ended { server.run(&[&["worker"], args].concat()).with(2) };
    let near = wrong(&["--flow", "range_repport"]);
    assert!(near.err.contains("did you mean range_report?"), "{}", near.err);
    for args in [["--lease", "1ms"], ["--places", "0"], ["--name", "a b"], ["--queue", "a b"]] {
        wrong(&args);
    }
}
