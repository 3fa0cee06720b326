//! `jobmill serve`: its start, its end, and what keeps it from starting.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::server::{Server, folder, jobmill, product, run, text};

#[test]
fn it_says_where_it_listens_and_where_its_data_is() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let expected = [
        concat!("jobmill ", env!("CARGO_PKG_VERSION")),
        "data in data/jobmill.db",
        &format!("listening on {}", server.url),
    ];
    assert!(server.said.ends_with(&expected.map(str::to_owned)), "{:?}", server.said);
    assert!(server.url.starts_with("http://127.0.0.1:"));
    assert_eq!(server.stop(), 0);
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
    let second = run(folder.path(), &args).with(1);
    assert!(second.err.contains("in use by another server"), "{}", second.err);
    assert!(second.err.contains("--data"), "{}", second.err);
    assert_eq!(server.stop(), 0);
    let third = Server::start(folder.path(), &[]);
    assert_eq!(third.stop(), 0, "the folder is free again");
}

#[test]
fn a_taken_port_is_refused_with_advice() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let address = server.url.trim_start_matches("http://");
    let second = run(folder.path(), &["serve", "--listen", address, "--data", "other"]).with(1);
    let expected = format!("error: cannot listen on {address}: another program listens there");
    assert!(second.err.starts_with(&expected), "{}", second.err);
    assert!(!folder.path().join("other").exists(), "nothing is made before the port is taken");
}

#[test]
fn a_data_folder_that_is_a_file_is_refused() {
    let folder = folder();
    std::fs::write(folder.path().join("data"), "not a folder").unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
    let ended = run(folder.path(), &args).with(1);
    assert!(ended.err.contains("the data folder data"), "{}", ended.err);
}

#[test]
fn jobs_that_are_under_way_are_finished_before_it_ends() {
    let folder = folder();
    let input = product(folder.path(), 500);
    let mut server = Server::start(folder.path(), &["--grace", "60s"]);
    let id = server.submit(&["expand_reduce_flow", "--input", &input]);
    server.signal("TERM");
    server.hear("stopping");
    assert_eq!(server.wait(), 0);
    let next = Server::start(folder.path(), &[]);
    let results = next.run(&["jobs", "results", &id, "--wait", "60s", "--json"]).with(0);
    assert_eq!(text(&results.json(), "status"), "completed");
}

#[test]
fn what_is_not_finished_within_the_grace_is_handed_back_and_done_by_the_next() {
    let folder = folder();
    let input = product(folder.path(), 700);
    let mut server = Server::start(folder.path(), &["--grace", "0s"]);
    let id = server.submit(&["expand_reduce_flow", "--input", &input]);
    while server.status(&id) == "submitted" {}
    server.signal("INT");
    assert_eq!(server.wait(), 0);
    let next = Server::start(folder.path(), &[]);
    next.run(&["jobs", "wait", &id, "--timeout", "2m"]).with(0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = folder();
    let input = product(folder.path(), 3_000);
    let mut server = Server::start(folder.path(), &["--grace", "10m"]);
    let id = server.submit(&["expand_reduce_flow", "--input", &input]);
    while server.status(&id) == "submitted" {}
    server.signal("TERM");
    server.hear("stopping");
    server.signal("TERM");
    server.hear("stopped at once");
    assert_eq!(server.wait(), 130);
}

#[test]
fn a_key_is_asked_for_where_others_can_come_in() {
    let folder = folder();
    let server = listening_on(folder.path(), "127.0.0.2:0", &[]);
    let key_file = folder.path().join("data/api-key");
    let mode = std::fs::metadata(&key_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = server.said.join("\n");
    assert!(said.contains("requests need the API key in data/api-key"), "{said}");
    let key = std::fs::read_to_string(&key_file).unwrap();
    assert!(!said.contains(key.trim()), "the key itself is never shown");

    let without = server.run(&["jobs", "list"]).with(1);
    assert!(without.err.contains("401") && without.err.contains("JOBMILL_API_KEY"), "{without:?}");
    let file = key_file.to_str().unwrap();
    server.run(&["jobs", "list", "--api-key-file", file]).with(0);
    assert_eq!(server.stop(), 0);

    let again = listening_on(folder.path(), "127.0.0.1:0", &["--keys", "on"]);
    again.run(&["jobs", "list", "--api-key-file", file]).with(0);
    again.run(&["jobs", "list"]).with(1);
}

#[test]
fn a_key_of_the_environment_is_used_instead_of_a_file() {
    let folder = folder();
    let mut command = jobmill(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--keys", "on"]);
    command.env("JOBMILL_API_KEY", "the-key-of-the-environment");
    let server = Server::of(command);
    assert!(!folder.path().join("data/api-key").exists());
    let mut list = server.command(&["jobs", "list"]);
    list.env("JOBMILL_API_KEY", "the-key-of-the-environment");
    assert_eq!(list.output().unwrap().status.code(), Some(0));
    list.env("JOBMILL_API_KEY", "another-key-that-is-wrong");
    assert_eq!(list.output().unwrap().status.code(), Some(1));
}

#[test]
fn the_log_can_be_json() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--log-format", "json"]);
    for line in &server.said {
        let line = jobmill_model::Value::from_json(line.as_bytes()).unwrap();
        assert_eq!(text(&line, "level"), "INFO");
    }
}

fn listening_on(folder: &Path, address: &str, args: &[&str]) -> Server {
    let mut command = jobmill(folder);
    command.args(["serve", "--listen", address, "--data", "data"]).args(args);
    Server::of(command)
}

#[test]
fn flows_of_the_configuration_file_are_declared_at_the_start() {
    let folder = folder();
    let file = folder.path().join("jobmill.toml");
    std::fs::write(&file, "[flows.mail]\nabout = \"Sends a mail\"\nlease = \"5s\"\n").unwrap();
    let server = Server::start(folder.path(), &[]);
    let shown = server.run(&["flows", "show", "mail", "--json"]).with(0).json();
    assert_eq!(text(&shown, "about"), "Sends a mail");
    assert_eq!(text(crate::server::field(&shown, "declared"), "lease"), "5s");
    assert_eq!(server.stop(), 0);
    std::fs::write(&file, "[flows.range_report]\n").unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0", "--data", "data"];
    let ended = run(folder.path(), &args).with(1);
    let expected = "error: the flow range_report of the configuration file cannot be declared: \
                    the server itself performs a flow of this name\n";
    assert!(ended.err.ends_with(expected), "{}", ended.err);
}
