//! `jobmill jobs errors`.

use crate::server::{Server, UNEVEN, folder, items, text};

#[test]
fn every_failed_attempt_is_shown() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let id = server.submit(&UNEVEN);
    server.run(&["jobs", "wait", &id]).with(1);
    let errors = server.run(&["jobs", "errors", &id, "--json"]).with(0).json();
    assert_eq!(text(&items(&errors)[0], "type"), "UnevenParts");
    let table = server.run(&["jobs", "errors", &id, "--trace"]).with(0);
    assert!(table.out.contains("at flow expand_reduce_flow"), "{}", table.out);
    let others = server.run(&["jobs", "errors", &id, "--type", "Timeout", "--json"]).with(0);
    assert_eq!(items(&others.json()).len(), 0);
}
