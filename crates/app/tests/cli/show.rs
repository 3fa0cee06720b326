//! `jobmill jobs show`.

use crate::server::{Server, folder, text};

#[test]
fn a_job_is_shown_as_it_stands() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let input = ["range_report", "--input", r#"{"start":1,"end":2}"#, "--delay", "1h"];
    let id = server.submit(&input);
    let job = server.run(&["jobs", "show", &id]).with(0).json();
    assert_eq!((text(&job, "id"), text(&job, "status")), (id.as_str(), "scheduled"));
}

#[test]
fn an_unknown_id_and_a_text_that_is_none_are_refused() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let unknown = server.run(&["jobs", "show", "01a1fd86-12b6-7573-af57-054b5031f2b8"]).with(1);
    assert!(unknown.err.contains("404"), "{}", unknown.err);
    server.run(&["jobs", "show", "../healthz?x"]).with(1);
}
