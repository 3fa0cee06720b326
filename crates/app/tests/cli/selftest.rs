//! `jobmill selftest`: a server that is killed keeps its promises, shown from outside.

use jobmill_model::Value;

use crate::server::{folder, jobmill, run};

fn number(report: &Value, name: &str) -> i64 {
    let field = report.as_map().and_then(|map| map.get(name));
    field.and_then(Value::as_int).unwrap_or_else(|| panic!("no number {name:?} in {report}"))
}

#[test]
fn a_server_that_is_killed_and_frozen_breaks_no_promise_and_leaves_nothing_behind() {
    let folder = folder();
    let args = ["selftest", "--kills", "3", "--clients", "4", "--seed", "11", "--json"];
    let mut command = jobmill(folder.path());
    let output = command.args(args).args(["--data", "scratch"]).output().unwrap();
    let ended = crate::server::Ended::from(output).with(0);
    let report = ended.json();
    assert_eq!(number(&report, "violations"), 0, "{report}");
    assert_eq!(number(&report, "kills"), 3);
    assert_eq!(number(&report, "seed"), 11);
    assert!(number(&report, "freezes") >= 1, "{report}");
    assert!(number(&report, "acknowledged") > 100, "{report}");
    assert!(number(&report, "effects_performed") >= number(&report, "effects"), "{report}");
    assert!(number(&report, "completed_outside") > 0, "{report}");
    assert!(number(&report, "leases_lost_outside") > 0, "{report}");
    assert!(ended.err.starts_with("seed 11, in "), "{}", ended.err);
    assert_eq!(std::fs::read_dir(folder.path().join("scratch")).unwrap().count(), 0);
}

#[test]
fn its_numbers_are_checked_before_anything_begins() {
    let ended = run(folder().path(), &["selftest", "--clients", "0"]).with(2);
    assert!(ended.err.contains("from 1 to 256"), "{}", ended.err);
}
