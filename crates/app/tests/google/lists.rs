//! Lists: filters, orders and pages.

use jobmill_model::Value;

use crate::client::{Talk, column, has, text};

const SOURCE: &str = "main:\n  params: [args]\n  steps:\n  - done:\n      \
                      return: ${1 / args.divisor}\n";

/// The last part of each name.
fn ids(value: &Value, rows: &str) -> Vec<String> {
    let names = column(value, rows, "name");
    names.iter().map(|name| name.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn workflows_are_listed_in_pages_filtered_and_ordered() {
    let talk = Talk::start();
    for name in ["a", "b", "c"] {
        talk.deploy(name, SOURCE);
    }
    let path = format!("{}/workflows/b?updateMask=labels", crate::client::PARENT);
    talk.send("PATCH", &path, r#"{"labels":{"env":"prod"}}"#).ok();
    let all = talk.get("workflows").ok();
    assert_eq!(ids(&all, "workflows"), ["a", "b", "c"]);
    assert!(!has(&all, "nextPageToken"));
    let two = talk.get("workflows?pageSize=2").ok();
    assert_eq!(ids(&two, "workflows"), ["a", "b"]);
    let token = text(&two, "nextPageToken").to_owned();
    let rest = talk.get(&format!("workflows?pageSize=2&pageToken={token}")).ok();
    assert_eq!(ids(&rest, "workflows"), ["c"]);
    let other = talk.get(&format!("workflows?filter=state%3DACTIVE&pageToken={token}"));
    other.refused(400, "INVALID_ARGUMENT");
    let labelled = talk.get("workflows?filter=labels.env%3Dprod").ok();
    assert_eq!(ids(&labelled, "workflows"), ["b"]);
    let ordered = talk.get("workflows?orderBy=updateTime+desc,name&pageSize=1").ok();
    assert_eq!(ids(&ordered, "workflows"), ["b"]);
    let token = text(&ordered, "nextPageToken").to_owned();
    let path = format!("workflows?orderBy=updateTime+desc,name&pageSize=1&pageToken={token}");
    assert_eq!(ids(&talk.get(&path).ok(), "workflows"), ["c"]);
}

#[test]
fn executions_are_listed_newest_first_filtered_and_ordered() {
    let talk = Talk::start();
    talk.deploy("w", SOURCE);
    let begin = |divisor: u32| {
        let argument = format!("{{\"divisor\":{divisor}}}");
        let body = Value::map([
            ("argument", Value::from(argument)),
            ("labels", Value::map([("divisor", Value::from(divisor.to_string()))])),
        ]);
        let execution = talk.execute("w", &body.to_string());
        talk.ended(&execution);
        execution.rsplit('/').next().unwrap().to_owned()
    };
    let [one, zero, two] = [begin(1), begin(0), begin(2)];
    let list = |query: &str| talk.get(&format!("workflows/w/executions?{query}")).ok();
    let listed = list("");
    assert_eq!(ids(&listed, "executions"), [&*two, &*zero, &*one]);
    assert_eq!(column(&listed, "executions", "state"), ["SUCCEEDED", "FAILED", "SUCCEEDED"]);
    let full = list("view=FULL&pageSize=1");
    assert_eq!(column(&full, "executions", "result"), ["0.5"]);
    let page = format!("view=FULL&pageSize=2&pageToken={}", text(&full, "nextPageToken"));
    assert_eq!(ids(&list(&page), "executions"), [&*zero, &*one]);
    assert_eq!(ids(&list("filter=state%3D%22FAILED%22"), "executions"), [&*zero]);
    let filter = "filter=createTime%3E%222023-08-01%22%20AND%20label.divisor%3D2";
    assert_eq!(ids(&list(filter), "executions"), [&*two]);
    assert_eq!(ids(&list("filter=endTime%3C%222023-08-01%22"), "executions"), Vec::<String>::new());
    let ascending = list("orderBy=createTime&pageSize=2");
    assert_eq!(ids(&ascending, "executions"), [&*one, &*zero]);
    let token = text(&ascending, "nextPageToken");
    let rest = list(&format!("orderBy=createTime&pageSize=2&pageToken={token}"));
    assert_eq!(ids(&rest, "executions"), [&*two]);
    let by_state = list("orderBy=state,createTime+desc");
    assert_eq!(ids(&by_state, "executions"), [&*zero, &*two, &*one]);
}

#[test]
fn a_list_of_executions_of_no_workflow_is_refused() {
    let talk = Talk::start();
    talk.get("workflows/none/executions").refused(404, "NOT_FOUND");
    assert_eq!(ids(&talk.get("workflows").ok(), "workflows"), Vec::<String>::new());
}
