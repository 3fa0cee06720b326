//! A server that is killed under load loses nothing that it acknowledged.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::server::{Client, Server, has_program, member};

const CLIENTS: usize = 8;
const KILLS: usize = 4;
/// The server is killed once so many more submissions were acknowledged.
const ACKNOWLEDGED_PER_LIFE: usize = 700;

/// What was acknowledged: idempotency key → job id.
#[derive(Default)]
struct Ledger {
    jobs: Mutex<HashMap<String, String>>,
    grown: Condvar,
    next: AtomicUsize,
}

impl Ledger {
    fn record(&self, key: String, id: String) {
        self.jobs.lock().unwrap().insert(key, id);
        self.grown.notify_all();
    }

    fn until(&self, count: usize) {
        let mut jobs = self.jobs.lock().unwrap();
        while jobs.len() < count {
            jobs = self.grown.wait(jobs).unwrap();
        }
    }
}

fn body(number: usize) -> String {
    format!(
        r#"{{"flow":"expand_reduce_flow","input":{{"a{number}":"1","b":"2","c":"3","d":"4"}}}}"#
    )
}

fn submit(client: &mut Client, number: usize) -> std::io::Result<String> {
    let key = format!("Idempotency-Key: key-{number}\r\n");
    let (status, answer) = client.post("/jobs", &key, &body(number))?;
    assert_eq!(status, 202, "{answer}");
    Ok(member(&answer, "id").expect("the answer has the id"))
}

/// Submits until the connection breaks.
fn load(server: &Server, ledger: &Arc<Ledger>) -> Vec<std::thread::JoinHandle<()>> {
    let address = server.address;
    let client = |ledger: Arc<Ledger>| {
        move || {
            let Ok(mut client) = Client::connect(address) else { return };
            loop {
                let number = ledger.next.fetch_add(1, Ordering::Relaxed);
                let Ok(id) = submit(&mut client, number) else { return };
                ledger.record(format!("key-{number}"), id);
            }
        }
    };
    (0..CLIENTS).map(|_| std::thread::spawn(client(ledger.clone()))).collect()
}

#[test]
fn a_server_killed_under_load_has_every_acknowledged_job_and_completes_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::default());
    for life in 1..=KILLS {
        let mut server = Server::start(folder.path());
        let clients = load(&server, &ledger);
        ledger.until(life * ACKNOWLEDGED_PER_LIFE);
        server.kill();
        clients.into_iter().for_each(|client| client.join().unwrap());
    }
    let server = Server::start(folder.path());
    let mut client = server.connect();
    let jobs = ledger.jobs.lock().unwrap().clone();
    assert!(jobs.len() >= KILLS * ACKNOWLEDGED_PER_LIFE);
    for (key, id) in &jobs {
        let number = key["key-".len()..].parse().unwrap();
        assert_eq!(&submit(&mut client, number).unwrap(), id, "{key} has a second job");
        let (status, answer) = client.get(&format!("/jobs/{id}/results?wait=60s")).unwrap();
        assert_eq!(status, 200, "{id}: {answer}");
        assert_eq!(member(&answer, "status").as_deref(), Some("completed"), "{answer}");
        assert!(answer.contains(&format!(r#""a{number} c":"1 3""#)), "{answer}");
    }
    one_outcome_each(folder.path());
}

/// Looks into the data file with the stock program while the server runs.
fn one_outcome_each(folder: &std::path::Path) {
    if !has_program("sqlite3") {
        return;
    }
    let query = "SELECT count(*) FROM (SELECT job_id, key FROM output GROUP BY 1, 2 \
                 HAVING count(*) > 1) UNION ALL SELECT count(*) FROM jobs \
                 WHERE status = 'completed' AND output_data IS NULL;";
    let database = folder.join("jobmill.db");
    let out = Command::new("sqlite3").arg(database).arg(query).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "0\n0\n", "{out:?}");
}

const WAITS: &str = "main:
  steps:
    - open:
        call: events.create_callback_endpoint
        args: {http_callback_method: POST}
        result: callback
    - wait:
        call: events.await_callback
        args: {callback: '${callback}', timeout: 3600}
        result: first
    - again:
        call: events.await_callback
        args: {callback: '${callback}', timeout: 3600}
        result: second
    - done:
        return: '${first.http_request.body + \" \" + second.http_request.body}'
";

/// The path of the address at which an execution waits.
fn address_of(client: &mut Client, id: &str) -> String {
    let path = format!("/v1/projects/p/locations/l/workflows/waits/executions/{id}/callbacks");
    loop {
        let (status, answer) = client.get(&path).unwrap();
        assert_eq!(status, 200, "{answer}");
        if answer.contains(r#""waiters":"1""#) {
            let name = answer.split(r#""name":""#).nth(1).expect("it has a name");
            return format!("/v1/{}", name.split('"').next().unwrap());
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_callback_that_was_acknowledged_outlives_the_server_and_is_heard_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let mut client = server.connect();
    let source = WAITS.replace('"', "\\\"").replace('\n', "\\n");
    let deploy = "/v1/projects/p/locations/l/workflows?workflowId=waits";
    let (status, answer) =
        client.post(deploy, "", &format!(r#"{{"sourceContents":"{source}"}}"#)).unwrap();
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = client.post("/workflows/waits/executions", "", "{}").unwrap();
    assert_eq!(status, 202, "{answer}");
    let id = member(&answer, "id").expect("the answer has the id");
    // Killed while it waits, and right after each acknowledgement.
    let address = address_of(&mut client, &id);
    for word in ["one", "two"] {
        server.kill();
        server = Server::start(folder.path());
        client = server.connect();
        assert_eq!(address_of(&mut client, &id), address, "it stays the same");
        let (status, answer) = client.post(&address, "", &format!("\"{word}\"")).unwrap();
        assert_eq!((status, answer.as_str()), (200, ""));
    }
    server.kill();
    server = Server::start(folder.path());
    let (status, answer) = server.connect().get(&format!("/jobs/{id}/results?wait=60s")).unwrap();
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains(r#""result":"one two""#), "{answer}");
}
