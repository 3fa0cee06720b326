//! Step entries of Executions v1, and the steps that an execution is in.

use crate::client::{Talk, column, field, has, text};

const SLEEPS: &str = "main:\n  params: [args]\n  steps:\n  - begin:\n      assign:\n      - x: \
                      ${args}\n  - call_it:\n      call: nap\n      args:\n        seconds: ${x}\n\
                      nap:\n  params: [seconds]\n  steps:\n  - wait:\n      call: sys.sleep\n      \
                      args:\n        seconds: ${seconds}\n";

#[test]
fn the_steps_of_an_execution_are_listed_and_read_one_by_one() {
    let talk = Talk::start();
    talk.deploy("naps", SLEEPS);
    let execution = talk.execute("naps", r#"{"argument":"0"}"#);
    talk.ended(&execution);
    let path = format!("{execution}/stepEntries");
    let listed = talk.get(&path).ok();
    assert_eq!(column(&listed, "stepEntries", "step"), ["begin", "call_it", "wait"]);
    assert_eq!(text(&listed, "stepEntries/1/stepType"), "STEP_SUBWORKFLOW_CALL");
    assert_eq!(text(&listed, "stepEntries/2/state"), "STATE_SUCCEEDED");
    assert_eq!(text(&listed, "stepEntries/2/navigationInfo/parent"), "2");
    let page = talk.get(&format!("{path}?pageSize=2&orderBy=entryId%20desc")).ok();
    assert_eq!(column(&page, "stepEntries", "entryId"), ["3", "2"]);
    let token = text(&page, "nextPageToken");
    let rest = format!("{path}?pageSize=2&orderBy=entryId%20desc&pageToken={token}");
    assert_eq!(column(&talk.get(&rest).ok(), "stepEntries", "entryId"), ["1"]);
    let found = talk.get(&format!("{path}?filter=routine=nap&skip=0")).ok();
    assert_eq!(column(&found, "stepEntries", "step"), ["wait"]);
    let view = "view=EXECUTION_ENTRY_VIEW_DETAILED";
    let one = talk.get(&format!("{path}/3?{view}")).ok();
    assert_eq!(field(&one, "variableData/variables/seconds").to_string(), "0");
    assert!(!has(&talk.get(&format!("{path}/3")).ok(), "variableData"));
    for none in ["0", "4", "x"] {
        talk.get(&format!("{path}/{none}")).refused(404, "NOT_FOUND");
    }
    talk.get(&format!("{path}?view=ALL")).refused(400, "INVALID_ARGUMENT");
    talk.get(&format!("{path}?skip=x")).refused(400, "INVALID_ARGUMENT");
}

#[test]
fn a_running_execution_shows_the_steps_it_is_in() {
    let talk = Talk::start();
    talk.deploy("naps", SLEEPS);
    let execution = talk.execute("naps", r#"{"argument":"3600"}"#);
    let id = execution.rsplit('/').next().unwrap();
    talk.until_parked(id);
    let shown = talk.get(&execution).ok();
    assert_eq!(text(&shown, "status/currentSteps/0/step"), "wait", "{shown}");
    assert_eq!(text(&shown, "status/currentSteps/0/routine"), "nap");
    let path = format!("{execution}/stepEntries");
    assert_eq!(text(&talk.get(&path).ok(), "stepEntries/2/state"), "STATE_IN_PROGRESS");
    let delete = format!("{execution}:deleteExecutionHistory");
    talk.post(&delete, "{}").refused(400, "FAILED_PRECONDITION");
    talk.post(&format!("{execution}:cancel"), "{}").ok();
    assert_eq!(text(&talk.get(&path).ok(), "stepEntries/2/state"), "STATE_CANCELLED");
}

#[test]
fn a_deleted_history_is_not_found_and_the_execution_stays() {
    let talk = Talk::start();
    talk.deploy("naps", SLEEPS);
    let execution = talk.execute("naps", r#"{"argument":"0"}"#);
    talk.ended(&execution);
    let delete = format!("{execution}:deleteExecutionHistory");
    assert_eq!(talk.post(&delete, "{}").ok().to_string(), "{}");
    let message = talk.get(&format!("{execution}/stepEntries")).refused(404, "NOT_FOUND");
    assert!(message.contains("was deleted"), "{message}");
    assert_eq!(text(&talk.get(&execution).ok(), "state"), "SUCCEEDED");
}
