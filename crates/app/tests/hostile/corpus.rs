//! Valid requests for every door, from which all others are made.

use super::draft::{Draft, Framing};

/// Jobs that the requests name.
pub(crate) struct Jobs {
    pub(crate) completed: String,
    pub(crate) failed: String,
    pub(crate) delayed: String,
}

/// A request, and the statuses with which it may be answered.
pub(crate) struct Valid {
    pub(crate) draft: Draft,
    pub(crate) statuses: &'static [u16],
}

const UNKNOWN: &str = "0190d5a4-7b3c-7def-8a11-2f6d1c0e9b42";

/// A job that completes, one that fails and one that waits.
pub(crate) const FIRST_JOBS: [&str; 3] = [
    r#"{"flow":"expand_reduce_flow","input":{"1":"2","3":"4","5":"6","7":"8"}}"#,
    r#"{"flow":"expand_reduce_flow","input":{"a":1,"a b":2,"b c":3,"c":4},"max_attempts":1,
        "params":{"collision":"error"}}"#,
    r#"{"flow":"range_report","input":{"start":1,"end":2},"delay":"1h"}"#,
];

const EVERY_OPTION: &str = r#"{"flow":"expand_reduce_flow","input":[{"1":"2","3":4.5e1},{}],
    "params":{"split":{"parts":2},"merge":"zip","separator":"-","uneven":"carry"},
    "queue":"mail","priority":-7,"delay":"10m","max_attempts":5,"timeout":"1h30m",
    "backoff":{"initial":"2s","max":"1m","multiplier":3,"jitter":0.5},"tags":["a","b"]}"#;

const AT_A_TIME: &str = r#"{"flow":"range_report","input":{"start":-5,"end":5},
    "run_at":"2026-11-21T10:07:03.067Z","backoff":"30s","queue":null,"params":null}"#;

const LINES: &str = "{\"start\":1,\"end\":2}\n\r\n{\"flow\":\"range_report\",\
    \"input\":{\"start\":3,\"end\":4},\"delay\":\"1h\"}\n";

const FILTERS: &str = "/jobs?status=failed,running&status=completed&flow=range_report\
    &queue=default&tag=a&since=2026-01-01T00:00:00Z&until=2036-01-01T00:00:00.5%2B01:00&limit=5";

/// One request for every door and every form that it takes.
pub(crate) fn valid(jobs: &Jobs) -> Vec<Valid> {
    let mut all = pages();
    all.extend(reads(jobs));
    all.extend(submissions());
    all.extend(schedules());
    all.extend(workers(jobs));
    all.extend(documents(jobs));
    all.extend(google());
    all
}

fn one(statuses: &'static [u16], draft: Draft) -> Valid {
    Valid { draft, statuses }
}

fn get(target: impl AsRef<str>) -> Draft {
    Draft::new("GET", target.as_ref())
}

fn post(target: impl AsRef<str>) -> Draft {
    Draft::new("POST", target.as_ref())
}

fn pages() -> Vec<Valid> {
    let paths = ["/", "/docs", "/openapi.json", "/web/page.js", "/healthz", "/readyz"];
    let mut all: Vec<Valid> = paths.iter().map(|path| one(&[200], get(path))).collect();
    all.push(one(&[200], Draft::new("HEAD", "/jobs/counts/")));
    all.push(one(&[204], Draft::new("OPTIONS", "/jobs")));
    all.push(one(&[404], get("/no/such/route?at=all")));
    all.push(one(&[405], Draft::new("DELETE", "/flows")));
    all
}

fn reads(jobs: &Jobs) -> Vec<Valid> {
    let Jobs { completed, failed, delayed } = jobs;
    let mut all: Vec<Valid> = ["/flows", "/flows/range_report", "/jobs/counts", "/jobs", FILTERS]
        .iter()
        .map(|target| one(&[200], get(target)))
        .collect();
    all.extend([
        one(&[200], get(format!("/jobs?limit=3&cursor={delayed}"))),
        one(&[200], get(format!("/jobs/{completed}"))),
        one(&[404], get(format!("/jobs/{UNKNOWN}"))),
        one(&[200], get(format!("/jobs/{completed}/results?wait=20ms"))),
        one(&[200], get(format!("/jobs/{completed}/result"))),
        one(&[200, 409], get(format!("/jobs/{delayed}/results"))),
        one(&[200, 409], get(format!("/jobs/{failed}/results"))),
        one(&[200], get(format!("/jobs/{completed}/pairs?limit=2&cursor=1"))),
        one(
            &[200],
            get(format!(
                "/jobs/{failed}/errors?type=KeyCollision&since=2026-01-01T00:00:00Z\
                 &until=2099-01-01T00:00:00Z&limit=1&cursor=0"
            )),
        ),
        one(&[200], get(format!("/jobs/{completed}/events"))),
        one(&[400], get("/events?status=done&flow=a%20b")),
        one(&[200], get(format!("/jobs/{failed}/explain"))),
        one(&[200, 409], post(format!("/jobs/{delayed}/cancel"))),
        one(&[202, 409], post(format!("/jobs/{delayed}/retry"))),
        one(&[200], post("/jobs/cancel?status=submitted,running&queue=nobody&dry_run=true")),
        one(&[200], post("/jobs/retry?flow=nothing&since=2026-01-01T00:00:00Z")),
        one(&[200], Draft::new("DELETE", "/jobs?tag=nobody&all=false&dry_run=false")),
        one(&[404], Draft::new("DELETE", &format!("/jobs/{UNKNOWN}"))),
        one(&[202, 409], post(format!("/jobs/{failed}/retry"))),
    ]);
    all
}

fn submissions() -> Vec<Valid> {
    let keyed = |key: &str, draft: Draft| draft.header("Idempotency-Key", key);
    let bulk = format!("[{EVERY_OPTION},{AT_A_TIME},{{\"start\":1,\"end\":2}}]");
    let lines = post("/jobs/bulk").body("application/x-ndjson", LINES);
    vec![
        one(&[202], post("/jobs").json(EVERY_OPTION)),
        one(&[202], post("/jobs").json(AT_A_TIME)),
        one(&[202], post("/jobs").json(FIRST_JOBS[0])),
        one(&[202], post("/jobs/").json(r#"{"start":1, "end":2}"#)),
        one(&[202], keyed("a-key-7", post("/jobs").json(FIRST_JOBS[2]))),
        one(&[422], post("/jobs").json(r#"{"flow":"range_report","input":{"start":"x"}}"#)),
        one(&[202], post("/jobs/bulk").json(&bulk)),
        one(&[202], lines.clone()),
        one(&[202], keyed("bulk key, with \"signs\"", lines)),
    ]
}

const SCHEDULE: &str = r#"{"cron":"15 30 3 1,L * MON-FRI/2","time_zone":"Europe/Berlin",
    "missed":"all","missed_limit":9,"overlap":"queue","clock_change":"skip","paused":true,
    "job":{"flow":"range_report","input":{"start":1,"end":2},"queue":"mail","tags":["a"],
    "backoff":"3s","timeout":"5m","priority":2,"max_attempts":2}}"#;

fn schedules() -> Vec<Valid> {
    let put = |name: &str| Draft::new("PUT", &format!("/schedules/{name}"));
    let short = r#"{"name":"daily","cron":"@daily","job":{"flow":"range_report",
        "input":{"start":1,"end":2}}}"#;
    vec![
        one(&[200, 201], put("full").json(SCHEDULE)),
        one(&[201, 409], post("/schedules").json(short)),
        one(&[200], get("/schedules?limit=1&cursor=a")),
        one(&[200, 404], get("/schedules/full")),
        one(&[200, 404], post("/schedules/full/pause")),
        one(&[200, 404], post("/schedules/daily/resume")),
        one(&[202, 404], post("/schedules/daily/trigger").header("Idempotency-Key", "once")),
        one(&[200, 404], Draft::new("DELETE", "/schedules/daily")),
    ]
}

/// Routes of workers outside; most requests come without a lease that holds.
fn workers(jobs: &Jobs) -> Vec<Valid> {
    let Jobs { completed, delayed, .. } = jobs;
    let declaration = r#"{"about":"Sends a mail","max_attempts":2,"timeout":"5m","lease":"2s",
        "input_schema":{"type":"object","required":["to"],"properties":{"to":{"type":"string"}}},
        "params_schema":{"type":["object","null"]}}"#;
    let call = r#"{"worker":"w-1","flows":["mail","range_report"],"max":2,"wait":"5ms",
        "lease":"1s"}"#;
    let verb = |verb: &str, body: &str| post(format!("/jobs/{delayed}/{verb}")).json(body);
    let many = |verb: &str, rest: &str| {
        let body = format!(
            r#"[{{"id":"{completed}","token":1{rest}}},{{"id":"{UNKNOWN}","token":2{rest}}}]"#
        );
        post(format!("/jobs/{verb}")).json(&body)
    };
    let failure = r#","error":{"type":"Busy","message":"later","trace":"at 1"},"retry":true,
        "retry_after":"30s""#;
    let put = |target: &str| Draft::new("PUT", target).header("Lease-Token", "1");
    vec![
        one(&[200, 201], Draft::new("PUT", "/flows/mail").json(declaration)),
        one(&[200, 404], get("/flows/mail")),
        one(&[200, 422], post("/queues/default/lease").json(call)),
        one(&[409], verb("heartbeat", r#"{"token":1,"lease":"30s"}"#)),
        one(&[409], verb("progress", r#"{"token":1,"done":1,"total":2,"message":"half"}"#)),
        one(&[409], verb("complete", r#"{"token":1,"result":{"a":[1,null]}}"#)),
        one(&[409], verb("fail", &format!("{{\"token\":1{failure}}}"))),
        one(&[409], verb("release", "{\"token\":1}")),
        one(&[409], verb("heartbeat", "{}").header("Lease-Token", "7")),
        one(&[200], many("heartbeat", "")),
        one(&[200], many("complete", ",\"result\":1.5e3")),
        one(&[200], many("fail", failure)),
        one(&[409], put(&format!("/jobs/{delayed}/effects/pay")).json(r#"{"paid":7}"#)),
        one(&[404], get(format!("/jobs/{delayed}/effects/pay"))),
        one(&[200], get(format!("/jobs/{delayed}/effects?limit=2&cursor=a"))),
        one(&[409], put(&format!("/jobs/{delayed}/result")).json(r#"{"a":[1,{"b":"c"}],"d":2}"#)),
        one(&[200, 404], Draft::new("DELETE", "/flows/mail")),
    ]
}

fn documents(jobs: &Jobs) -> Vec<Valid> {
    let Jobs { completed, failed, delayed } = jobs;
    let body = r#"{"job": {"input_data": [{"key1": "value1"}, {"key2": "value2"}]}}"#;
    vec![
        one(
            &[200],
            get(format!(
                "/api/error_handling?job_id={failed}&error_type=KeyCollision\
                 &time_filter=2026-11-21T10"
            )),
        ),
        one(&[200], get(format!("/api/verify_status?job_id={delayed}"))),
        one(&[200], get("/api/keyvalues?page=1&per_page=2")),
        one(&[200], post("/expand_reduce_flow/").json(body)),
        one(&[200], get(format!("/check_status/{completed}"))),
        one(&[200], get(format!("/job_result/{completed}"))),
        one(&[200], get(format!("/job_result/{failed}"))),
        one(&[200], get("/is_valid_input?x=abc")),
        one(&[200], post("/process").json(r#"{"x":"abc"}"#)),
        one(&[404], post("/trigger_workflow").json(r#"{"x":"abc"}"#)),
    ]
}

/// Google's paths; the workflow is there from the first request on.
fn google() -> Vec<Valid> {
    let at = |rest: &str| format!("/v1/projects/p/locations/l/{rest}");
    let source = r#"{"sourceContents":"main:\n  params: [a]\n  steps:\n  - b:\n      return: ${a}\n",
        "labels":{"env":"ci"},"callLogLevel":1,"userEnvVars":{"A":"b"},"description":null}"#;
    let patch = |mask: &str| {
        let target = at(&format!("workflows/hostile?updateMask={mask}"));
        let draft = Draft::new("PATCH", &target).json(r#"{"labels":{"a":"b"},"description":"x"}"#);
        Draft { framing: Framing::Length, ..draft }
    };
    let execution = r#"{"argument":"{\"a\":[1,null]}","labels":{},"callLogLevel":"LOG_NONE"}"#;
    let message = r#"{"message":{"data":"eA==","attributes":{"a":"b"}},
        "GCPCloudEventsMode":"CUSTOM_PUBSUB_projects%2Fp%2Ftopics%2Ft"}"#;
    let filter = "filter=state%3D%22ACTIVE%22+OR+(-labels.env:*+duration%3E1.5s)";
    vec![
        one(&[200], post(at("workflows?workflowId=hostile")).json(source)),
        one(&[200], get(at("workflows/hostile?$alt=json%3Benum-encoding%3Dint"))),
        one(&[200], get(at("workflows/hostile:listRevisions?pageSize=3"))),
        one(&[200], get(at("workflows?filter=name:host*+AND+labels.env%3Dci&orderBy=name+desc"))),
        one(&[200], patch("labels,description")),
        one(&[200], post(at("workflows/hostile/executions")).json(execution)),
        one(&[200], post(at("workflows/hostile:triggerPubsubExecution")).json(message)),
        one(&[200], get(at(&format!("workflows/hostile/executions?view=FULL&{filter}")))),
        one(&[200], get(at("workflows/hostile/executions?orderBy=state,createTime&pageSize=2"))),
        one(&[404], get(at(&format!("workflows/hostile/executions/{UNKNOWN}?view=BASIC")))),
        one(&[404], post(at(&format!("workflows/hostile/executions/{UNKNOWN}:cancel"))).json("{}")),
        one(&[404], get(at(&format!("workflows/hostile/executions/{UNKNOWN}/callbacks")))),
        one(&[404], post(at(&format!("workflows/w/executions/{UNKNOWN}/callbacks/c"))).json("{}")),
        one(&[200], get(at("operations?filter=verb%3Dcreate&pageSize=1"))),
        one(&[404], get(at("operations/operation-1-create-1-hostile"))),
        one(&[200], get("/v1/projects/p/locations")),
    ]
}
