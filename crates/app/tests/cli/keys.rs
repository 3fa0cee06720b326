//! `jobmill keys`.

use crate::server::{Server, folder, items, run, text};

#[test]
fn a_key_is_made_used_listed_and_revoked() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--keys", "on"]);
    let file = folder.path().join("data/api-key");
    let ask =
        |args: &[&str]| server.run(&[args, &["--api-key-file", file.to_str().unwrap()]].concat());
    let made = ask(&["keys", "create", "ci", "--role", "submit", "--expires-in", "30d"]).with(0);
    let key = made.out.trim().to_owned();
    assert!(key.starts_with("jm_"), "standard output is the key alone: {key:?}");
    assert!(made.err.contains("only time"), "{}", made.err);
    let with_key = |args: &[&str]| server.command(args).env("JOBMILL_API_KEY", &key).output();
    let submit = ["jobs", "submit", "range_report", "--input", r#"{"start":1,"end":2}"#];
    assert!(with_key(&submit).unwrap().status.success());
    assert!(!with_key(&["keys", "list"]).unwrap().status.success(), "`submit` may not see keys");
    let list = ask(&["keys", "list"]).with(0);
    assert!(list.out.contains("ci") && !list.out.contains(&key), "{}", list.out);
    ask(&["keys", "revoke", "ci"]).with(0);
    assert!(!with_key(&["jobs", "list"]).unwrap().status.success());
    ask(&["keys", "revoke", "ci"]).with(1);
    let wrong = ask(&["keys", "create", "ci", "--role", "reed"]).with(1);
    assert!(wrong.err.contains("did you mean \"read\""), "{}", wrong.err);
}

#[test]
fn a_key_is_made_without_a_server_in_its_data_folder() {
    let folder = folder();
    let create = ["keys", "create", "rescue", "--role", "admin", "--data", "data"];
    let none = run(folder.path(), &create).with(1);
    assert!(none.err.contains("no data file"), "{}", none.err);
    assert!(!folder.path().join("data").exists(), "nothing is made by mistake");
    let server = Server::start(folder.path(), &["--keys", "on"]);
    let used = run(folder.path(), &create).with(1);
    assert!(used.err.contains("in use") || used.err.contains("another"), "{}", used.err);
    assert_eq!(server.stop(), 0);
    let key = run(folder.path(), &create).with(0).out.trim().to_owned();
    let list = run(folder.path(), &["keys", "list", "--data", "data", "--json"]).with(0).json();
    assert_eq!(text(&items(&list)[0], "name"), "rescue");
    let server = Server::start(folder.path(), &["--keys", "on"]);
    let list = server.command(&["keys", "list"]).env("JOBMILL_API_KEY", &key).output().unwrap();
    assert!(list.status.success(), "{list:?}");
    assert_eq!(server.stop(), 0);
    run(folder.path(), &["keys", "revoke", "rescue", "--data", "data"]).with(0);
    run(folder.path(), &["keys", "revoke", "rescue", "--data", "data"]).with(1);
}
