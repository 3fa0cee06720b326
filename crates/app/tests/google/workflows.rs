//! Workflows v1: what is deployed, changed, shown and deleted.

use jobmill_model::Value;

use crate::client::{PARENT, Talk, column, field, has, text};

const SOURCE: &str = "- done:\n    return: 1\n";

#[test]
fn a_workflow_is_created_shown_changed_and_deleted_by_operations_that_are_done() {
    let talk = Talk::start();
    let body = r#"{"sourceContents":"- done:\n    return: 1\n","labels":{},"callLogLevel":2,
        "userEnvVars":{"WHO":"me"},"futureField":{"a":1}}"#;
    let created = talk.post("workflows?workflowId=orders&$alt=json%3Benum-encoding%3Dint", body);
    let created = created.ok();
    assert_eq!(field(&created, "done"), &Value::Bool(true));
    let kind = "type.googleapis.com/google.cloud.workflows.v1.OperationMetadata";
    assert_eq!(text(&created, "metadata/@type"), kind);
    assert_eq!(text(&created, "metadata/verb"), "create");
    let kind = "type.googleapis.com/google.cloud.workflows.v1.Workflow";
    assert_eq!(text(&created, "response/@type"), kind);

    let shown = talk.get("workflows/orders?").ok();
    let name = "projects/my-project/locations/us-central1/workflows/orders";
    assert_eq!(text(&shown, "name"), name);
    assert_eq!(text(&shown, "state"), "ACTIVE");
    assert_eq!(text(&shown, "sourceContents"), SOURCE);
    assert_eq!(text(&shown, "callLogLevel"), "LOG_ERRORS_ONLY");
    assert!(!has(&shown, "labels"), "{shown}");
    let first = text(&shown, "revisionId").to_owned();
    assert!(first.starts_with("000001-"), "{first}");

    let patch = r#"{"name":"whatever","sourceContents":"- done:\n    return: 2\n"}"#;
    let path = format!("{PARENT}/workflows/orders?updateMask=sourceContents");
    let patched = talk.send("PATCH", &path, patch).ok();
    assert_eq!(text(&patched, "metadata/verb"), "update");
    let second = text(&patched, "response/revisionId").to_owned();
    assert!(second.starts_with("000002-"), "{second}");
    assert_eq!(text(&patched, "response/userEnvVars/WHO"), "me");
    let older = talk.get(&format!("workflows/orders?revisionId={first}")).ok();
    assert_eq!(text(&older, "sourceContents"), SOURCE);
    let revisions = talk.get("workflows/orders:listRevisions").ok();
    assert_eq!(column(&revisions, "workflows", "revisionId"), [second, first]);

    let path = format!("{PARENT}/workflows/orders");
    let deleted = talk.send("DELETE", &path, "").ok();
    assert_eq!(text(&deleted, "response/@type"), "type.googleapis.com/google.protobuf.Empty");
    talk.get("workflows/orders").refused(404, "NOT_FOUND");
    talk.send("DELETE", &path, "").refused(404, "NOT_FOUND");
}

#[test]
fn a_patch_of_words_makes_no_revision_and_one_without_a_mask_empties_the_rest() {
    let talk = Talk::start();
    talk.deploy("w", SOURCE);
    let path = format!("{PARENT}/workflows/w");
    let body = r#"{"description":"about","labels":{"env":"prod"}}"#;
    let mask = "update_mask=description,labels";
    let patched = talk.send("PATCH", &format!("{path}?{mask}"), body).ok();
    assert!(text(&patched, "response/revisionId").starts_with("000001-"));
    assert_eq!(text(&patched, "response/labels/env"), "prod");
    let body = Value::map([("sourceContents", SOURCE.into())]).to_string();
    let patched = talk.send("PATCH", &path, &body).ok();
    assert!(text(&patched, "response/revisionId").starts_with("000001-"));
    assert!(!has(field(&patched, "response"), "labels"));
    assert!(!has(field(&patched, "response"), "description"));
}

#[test]
fn a_project_and_a_location_do_not_divide_the_workflows() {
    let talk = Talk::start();
    talk.deploy("w", SOURCE);
    let elsewhere = "/v1beta/projects/123456/locations/europe-west4";
    let shown = talk.send("GET", &format!("{elsewhere}/workflows/w"), "").ok();
    assert_eq!(text(&shown, "name"), "projects/123456/locations/europe-west4/workflows/w");
    let all = talk.send("GET", "/v1/projects/p/locations/-/workflows", "").ok();
    let names = column(&all, "workflows", "name");
    assert_eq!(names, ["projects/p/locations/us-central1/workflows/w"]);
    let again = Value::map([("sourceContents", SOURCE.into())]).to_string();
    let path = format!("{elsewhere}/workflows?workflowId=w");
    talk.send("POST", &path, &again).refused(409, "ALREADY_EXISTS");
}

#[test]
fn locations_are_whatever_is_asked_for() {
    let talk = Talk::start();
    let listed = talk.send("GET", "/v1/projects/p/locations", "").ok();
    assert_eq!(column(&listed, "locations", "locationId").len(), 1);
    let shown = talk.send("GET", "/v1/projects/p/locations/asia-east1", "").ok();
    assert_eq!(text(&shown, "name"), "projects/p/locations/asia-east1");
}
