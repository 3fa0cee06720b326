//! Runs Schemathesis against a server that needs a key.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::server::Server;

const SEED: &str = "20261121";
/// Requests for each route and phase.
const EXAMPLES: &str = "20";
/// A run over some fifty routes; it is there to end one that hangs.
const PATIENCE: Duration = Duration::from_secs(300);
const KEY: &str = "a-key-for-the-contract-0123456789";
const CONFIG: &str = include_str!("schemathesis.toml");
/// Jobs that complete, fail and wait.
const JOBS: [&str; 4] = [
    r#"{"flow":"expand_reduce_flow","input":{"1":"2","3":"4","5":"6","7":"8"}}"#,
    r#"{"flow":"expand_reduce_flow","input":{"a":1,"a b":2,"b c":3,"c":4},"max_attempts":1,
        "params":{"collision":"error"}}"#,
    r#"{"flow":"range_report","input":{"start":1,"end":2},"delay":"1h"}"#,
    r#"{"start":1,"end":2}"#,
];
/// What the program has to be installed from; the installer leaves a copy when it is done.
const REQUIREMENTS: &str = include_str!("requirements.txt");

#[test]
fn no_answer_lies_outside_the_openapi_document() {
    let Some(schemathesis) = installed() else { return };
    let flags = ["--keys", "on", "--log", "warn"];
    let mut server = Server::start(&flags, &[("JOBMILL_API_KEY", KEY)]);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let jobs = JOBS.map(|body| submit(&server, body));
    let config = format!("{CONFIG}\n[dictionaries.jobs]\nvalues = {jobs:?}\n");
    std::fs::write(folder.path().join("schemathesis.toml"), config).expect("a file");
    let mut command = Command::new(schemathesis);
    command
        .args(["run", &format!("http://{}/openapi.json", server.address)])
        .args(["--header", &format!("Authorization: Bearer {KEY}")])
        .args(["--seed", SEED, "--max-examples", EXAMPLES, "--generation-database", "none"])
        .args(["--continue-on-failure", "--request-timeout", "70"])
        .args(["--no-color", "--output-sanitize", "false"])
        .current_dir(folder.path());
    println!("seed {SEED}; {command:?}");
    let output = within(PATIENCE, command);
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(server.lives(), "the server ended");
    assert_eq!(server.end(), Vec::<String>::new(), "the server complained");
    assert!(output.status.success(), "{}\n{text}\n{errors}", output.status);
    println!("{text}");
}

/// The program, if it was installed from the very same requirements.
fn installed() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python/contract");
    let from = std::fs::read_to_string(folder.join("requirements.txt"));
    if from.is_ok_and(|from| from == REQUIREMENTS) {
        return Some(folder.join("bin/schemathesis"));
    }
    eprintln!("skipped: Schemathesis is not in {}; see `cargo xtask test`", folder.display());
    None
}

/// Submits a job and gives its id.
fn submit(server: &Server, body: &str) -> String {
    let mut stream = TcpStream::connect(server.address).expect("the server listens");
    let length = body.len();
    let request = format!(
        "POST /jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Api-Key: {KEY}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    let (_, id) = answer.split_once(r#"{"id":""#).unwrap_or_else(|| panic!("{answer}"));
    id[..36].to_owned()
}

/// Waits for the end of a program, but not for ever.
fn within(limit: Duration, mut command: Command) -> Output {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Schemathesis can be started");
    let id = child.id().to_string();
    let (done, outcome) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let output = outcome.recv_timeout(limit).unwrap_or_else(|_| {
        // It may end at this very moment.
        let _ = Command::new("kill").arg(&id).status();
        panic!("Schemathesis took longer than {limit:?}");
    });
    output.expect("Schemathesis can be waited for")
}
