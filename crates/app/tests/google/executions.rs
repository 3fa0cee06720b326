//! Executions v1: what runs, how it ends, what it is asked to do.

use jobmill_model::Value;

use crate::client::{Talk, field, has, text};

const ECHO: &str = "main:\n  params: [args]\n  steps:\n  - done:\n      return: ${args}\n";
const FAILS: &str = "main:\n  steps:\n  - first:\n      assign:\n      - x: 1\n  - boom:\n      \
                     raise:\n        code: 7\n        message: \"no luck\"\n";
const SLEEPS: &str =
    "- wait:\n    call: sys.sleep\n    args:\n      seconds: 3600\n- done:\n    return: 1\n";

#[test]
fn an_execution_runs_and_shows_its_result_as_json_text() {
    let talk = Talk::start();
    talk.deploy("echo", ECHO);
    let body = r#"{"argument":"{\"a\":[1,2.5,\"x\"]}","labels":{"env":"ci"},"callLogLevel":0,
        "disableConcurrencyQuotaOverflowBuffering":false}"#;
    let execution = talk.execute("echo", body);
    let ended = talk.ended(&execution);
    assert_eq!(text(&ended, "state"), "SUCCEEDED");
    assert_eq!(text(&ended, "result"), r#"{"a":[1,2.5,"x"]}"#);
    assert_eq!(text(&ended, "argument"), r#"{"a":[1,2.5,"x"]}"#);
    assert_eq!(text(&ended, "labels/env"), "ci");
    assert!(text(&ended, "workflowRevisionId").starts_with("000001-"));
    assert!(text(&ended, "duration").ends_with('s'));
    assert!(text(&ended, "endTime") >= text(&ended, "startTime"));
    let basic = talk.get(&format!("{execution}?view=BASIC")).ok();
    assert!(!has(&basic, "result") && !has(&basic, "argument"), "{basic}");
    let exported = talk.get(&format!("{execution}:exportData")).ok();
    assert!(text(&exported, "data").contains(r#""state":"SUCCEEDED""#));
}

#[test]
fn an_execution_without_an_argument_works_on_null() {
    let talk = Talk::start();
    talk.deploy("echo", ECHO);
    for body in ["", "{}", r#"{"argument":""}"#, r#"{"argument":"null","labels":{}}"#] {
        let ended = talk.ended(&talk.execute("echo", body));
        let shown = (text(&ended, "argument"), text(&ended, "result"));
        assert_eq!(shown, ("null", "null"), "{body}");
    }
}

#[test]
fn a_failed_execution_shows_payload_context_and_stack_trace() {
    let talk = Talk::start();
    talk.deploy("fails", FAILS);
    let ended = talk.ended(&talk.execute("fails", "{}"));
    assert_eq!(text(&ended, "state"), "FAILED");
    assert_eq!(text(&ended, "error/payload"), r#"{"code":7,"message":"no luck"}"#);
    let context = text(&ended, "error/context");
    assert!(context.contains("in step \"boom\", routine \"main\", line: 7"), "{context}");
    let frame = field(&ended, "error/stackTrace/elements/0");
    assert_eq!((text(frame, "step"), text(frame, "routine")), ("boom", "main"));
    assert_eq!(text(frame, "position/line"), "7");
}

#[test]
fn an_execution_is_cancelled_once() {
    let talk = Talk::start();
    talk.deploy("sleeps", SLEEPS);
    let execution = talk.execute("sleeps", "{}");
    assert_eq!(text(&talk.get(&execution).ok(), "state"), "ACTIVE");
    let cancelled = talk.post(&format!("{execution}:cancel"), "{}").ok();
    assert_eq!(text(&cancelled, "state"), "CANCELLED");
    let again = talk.post(&format!("{execution}:cancel"), "");
    let message = again.refused(400, "FAILED_PRECONDITION");
    assert!(message.contains("is CANCELLED and cannot be cancelled"), "{message}");
}

#[test]
fn an_execution_stays_on_the_revision_that_it_began_with() {
    let talk = Talk::start();
    talk.deploy("w", SLEEPS);
    let execution = talk.execute("w", "{}");
    let revision = text(&talk.get(&execution).ok(), "workflowRevisionId").to_owned();
    let patch = Value::map([("sourceContents", ECHO.into())]).to_string();
    let path = format!("{}/workflows/w?updateMask=sourceContents", crate::client::PARENT);
    talk.send("PATCH", &path, &patch).ok();
    assert_eq!(text(&talk.get(&execution).ok(), "workflowRevisionId"), revision);
    let next = talk.execute("w", "{}");
    assert!(text(&talk.get(&next).ok(), "workflowRevisionId").starts_with("000002-"));
}

#[test]
fn a_message_of_pub_sub_begins_an_execution_on_a_cloud_event() {
    let talk = Talk::start();
    let source = "main:\n  params: [event]\n  steps:\n  - done:\n      \
                  return: ${text.decode(base64.decode(event.data.message.data))}\n";
    talk.deploy("event", source);
    let body = r#"{"subscription":"projects/p/subscriptions/s","message":{"data":"aGVsbG8="},
        "GCPCloudEventsMode":"CUSTOM_PUBSUB_projects%2Fp%2Ftopics%2Ft"}"#;
    let begun = talk.post("workflows/event:triggerPubsubExecution", body).ok();
    let name = text(&begun, "name");
    let ended = talk.ended(&name[name.find("workflows/").unwrap()..]);
    assert_eq!(text(&ended, "result"), r#""hello""#, "{ended}");
}
