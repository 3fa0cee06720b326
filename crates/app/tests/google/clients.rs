//! The client libraries of Python and Node: each script drives one client and checks what it
//! gets.

use std::path::PathBuf;
use std::process::Command;

use crate::client::Talk;
use crate::program;

/// What the clients have to be installed from; the installer leaves a copy when it is done.
const REQUIREMENTS: &str = include_str!("requirements.txt");
const PACKAGE: &str = include_str!("package.json");

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/google").join(name)
}

#[track_caller]
fn passes(mut command: Command) {
    let mut talk = Talk::start();
    command.env("JOBMILL_ENDPOINT", talk.url());
    let out = program::run(command).ok();
    assert!(out.trim_end().ends_with("all checks passed"), "{out}");
    assert!(talk.0.lives(), "the server ended");
    assert_eq!(talk.0.end(), Vec::<String>::new(), "the server complained");
}

#[test]
fn the_python_client_of_workflows_deploys_over_rest() {
    let Some(folder) = program::installed("python/google", "requirements.txt", REQUIREMENTS) else {
        return;
    };
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(script("workflows_client.py"));
    passes(command);
}

#[test]
fn the_python_client_of_discovery_runs_executions() {
    let Some(folder) = program::installed("python/google", "requirements.txt", REQUIREMENTS) else {
        return;
    };
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(script("discovery_client.py"));
    passes(command);
}

#[test]
fn the_node_client_of_executions_runs_over_rest() {
    let Some(folder) = program::installed("node/google", "package.json", PACKAGE) else { return };
    let mut command = Command::new("node");
    command
        .arg(script("executions_client.js"))
        .env("NODE_PATH", folder.join("wanted/node_modules"));
    passes(command);
}

#[test]
fn the_python_client_of_bigquery_fills_and_queries_a_table() {
    let Some(folder) = program::installed("python/google", "requirements.txt", REQUIREMENTS) else {
        return;
    };
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(script("bigquery_client.py"));
    passes(command);
}

#[test]
fn the_python_client_of_firestore_writes_and_finds_documents_over_rest() {
    let Some(folder) = program::installed("python/google", "requirements.txt", REQUIREMENTS) else {
        return;
    };
    let mut command = Command::new(folder.join("bin/python"));
    command.arg(script("firestore_client.py"));
    passes(command);
}
