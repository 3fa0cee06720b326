//! `jobmill backup` and `jobmill restore`.

use std::sync::atomic::{AtomicBool, Ordering};

use jobmill_model::Value;

use crate::server::{Server, folder, jobmill, run};

fn number(value: &Value, name: &str) -> i64 {
    value.as_map().and_then(|map| map.get(name)).and_then(Value::as_int).unwrap()
}

#[test]
fn a_backup_under_load_becomes_a_server_of_its_own() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let submit = ["range_report", "--input", r#"{"start":1,"end":2}"#];
    let first = server.submit(&submit);
    let done = AtomicBool::new(false);
    let copied = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                server.submit(&submit);
            }
        });
        let copied = run(folder.path(), &["backup", "copy.db", "--data", "data", "--json"]);
        done.store(true, Ordering::SeqCst);
        copied
    });
    let jobs = number(&copied.with(0).json(), "jobs");
    assert!(jobs >= 1);
    let again = run(folder.path(), &["backup", "copy.db", "--data", "data"]).with(1);
    assert!(again.err.contains("already"), "{}", again.err);
    let into_live = run(folder.path(), &["restore", "copy.db", "--data", "data"]).with(1);
    assert!(into_live.err.contains("not empty"), "{}", into_live.err);
    run(folder.path(), &["restore", "copy.db", "--data", "restored"]).with(0);
    let mut command = jobmill(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data", "restored"]);
    let restored = Server::of(command);
    let list = restored.run(&["jobs", "list", "--limit", "1000", "--json"]).with(0).json();
    let items = list.as_map().unwrap().get("items").unwrap().as_list().unwrap();
    assert_eq!(i64::try_from(items.len()), Ok(jobs));
    restored.run(&["jobs", "wait", &first]).with(0);
    let next = restored.submit(&submit);
    restored.run(&["jobs", "wait", &next]).with(0);
}
