//! `jobmill flows`.

use crate::server::{Server, folder, text};

#[test]
fn flows_are_listed_and_shown_with_their_schemas() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let list = server.run(&["flows", "list"]).with(0);
    for name in ["expand_reduce_flow", "range_report"] {
        assert!(list.out.contains(name), "{}", list.out);
        let flow = server.run(&["flows", "show", name, "--json"]).with(0).json();
        assert_eq!(text(&flow, "name"), name);
        assert!(flow.as_map().is_some_and(|flow| flow.contains("input_schema")));
    }
    let unknown = server.run(&["flows", "show", "expand_reduce"]).with(1);
    assert!(unknown.err.contains("404"), "{}", unknown.err);
}
