//! Operations: done when they are answered, and there to be asked for afterwards.

use crate::client::{PARENT, Talk, column, text};

const ONE: &str = "- done:\n    return: 1\n";
const TWO: &str = r#"{"sourceContents":"- done:\n    return: 2\n"}"#;

/// The end of an operation's path.
fn path(operation: &jobmill_model::Value) -> String {
    let name = text(operation, "name");
    name[name.find("operations/").unwrap()..].to_owned()
}

#[test]
fn an_operation_answers_the_same_when_it_is_asked_for_again() {
    let talk = Talk::start();
    let created = talk.deploy("my-flow", ONE);
    assert_eq!(talk.get(&path(&created)).ok(), created);
    let target = format!("{PARENT}/workflows/my-flow?updateMask=sourceContents");
    let updated = talk.send("PATCH", &target, TWO).ok();
    assert_eq!(talk.get(&path(&updated)).ok(), updated);
    assert_eq!(talk.get(&path(&created)).ok(), created);
    let waited = talk.post(&format!("{}:wait", path(&updated)), r#"{"timeout":"10s"}"#).ok();
    assert_eq!(waited, updated);
    let listed = talk.get("operations").ok();
    assert_eq!(column(&listed, "operations", "metadata/verb"), ["update", "create"]);
    let created_only = talk.get("operations?filter=verb%3Dcreate+AND+done%3Dtrue").ok();
    assert_eq!(column(&created_only, "operations", "name"), [text(&created, "name")]);
    let target = format!("{PARENT}/{}", path(&updated));
    assert_eq!(talk.send("DELETE", &target, "").ok().to_string(), "{}");
}

#[test]
fn an_operation_of_a_workflow_that_is_gone_is_its_deletion_alone() {
    let talk = Talk::start();
    let created = talk.deploy("w", ONE);
    let deleted = talk.send("DELETE", &format!("{PARENT}/workflows/w"), "").ok();
    assert_eq!(talk.get(&path(&deleted)).ok(), deleted);
    talk.get(&path(&created)).refused(404, "NOT_FOUND");
    // Nor does the first operation come back with another workflow of the name.
    talk.deploy("w", ONE);
    assert_eq!(talk.get(&path(&deleted)).ok(), deleted);
    talk.get(&path(&created)).refused(404, "NOT_FOUND");
}

#[test]
fn an_operation_that_never_was_is_not_found() {
    let talk = Talk::start();
    talk.deploy("w", ONE);
    for id in ["x", "operation-1-create-1-w", "operation-9999999999999-delete-0-w"] {
        talk.get(&format!("operations/{id}")).refused(404, "NOT_FOUND");
        talk.post(&format!("operations/{id}:wait"), "{}").refused(404, "NOT_FOUND");
    }
}
