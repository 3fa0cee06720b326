//! `jobmill jobs list`.

use crate::server::{Server, folder, items, text};

const RANGE: [&str; 3] = ["range_report", "--input", r#"{"start":1,"end":2}"#];

#[test]
fn jobs_are_listed_newest_first_in_pages() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let ids: Vec<String> = (0..3).map(|_| server.submit(&RANGE)).collect();
    let first = server.run(&["jobs", "list", "--limit", "2", "--json"]).with(0).json();
    assert_eq!(text(&items(&first)[0], "id"), ids[2]);
    let next = text(&first, "next");
    let rest = server.run(&["jobs", "list", "--cursor", next, "--json"]).with(0).json();
    assert_eq!(text(&items(&rest)[0], "id"), ids[0]);

    let table = server.run(&["jobs", "list", "--limit", "2"]).with(0);
    let lines: Vec<&str> = table.out.lines().collect();
    assert!(lines[0].starts_with("ID ") && lines[1].starts_with(&ids[2]), "{}", table.out);
    assert!(table.err.contains(&format!("--cursor {next}")), "{}", table.err);
}

#[test]
fn filters_narrow_the_list() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let parent = server.submit(&[&RANGE[..], &["--delay", "2h"]].concat());
    let night = ["--delay", "1h", "--tag", "night", "--parent", &parent];
    let later = server.submit(&[&RANGE[..], &night].concat());
    let now = server.submit(&RANGE);
    server.run(&["jobs", "wait", &now]).with(0);
    for filter in [["--tag", "night"], ["--parent", &parent]] {
        let listed = server.run(&[&["jobs", "list", "--json"], &filter[..]].concat()).with(0);
        let listed = listed.json();
        let ids: Vec<&str> = items(&listed).iter().map(|job| text(job, "id")).collect();
        assert_eq!(ids, [later.as_str()], "{filter:?}");
    }
    let listed = server.run(&["jobs", "list", "--status", "scheduled", "--json"]).with(0).json();
    let ids: Vec<&str> = items(&listed).iter().map(|job| text(job, "id")).collect();
    assert_eq!(ids, [later.as_str(), parent.as_str()]);
    let none = server.run(&["jobs", "list", "--flow", "expand_reduce_flow", "--json"]).with(0);
    assert_eq!(items(&none.json()).len(), 0);
}

#[test]
fn a_wrong_filter_is_refused_with_the_right_words() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let ended = server.run(&["jobs", "list", "--status", "done"]).with(1);
    assert!(ended.err.contains("completed"), "{}", ended.err);
}
