//! What the log says of jobs, and what it never says.

use jobmill::client::Request;
use jobmill_model::Value;

use crate::server::{Server, field, folder, jobmill, number, text};

const SECRET: &str = "a-secret-that-no-log-may-hold";

/// Every line as JSON.
fn lines(said: &[String]) -> Vec<Value> {
    let read =
        |line: &String| Value::from_json(line.as_bytes()).unwrap_or_else(|_| panic!("{line}"));
    said.iter().map(read).collect()
}

fn has(line: &Value, name: &str) -> bool {
    line.as_map().is_some_and(|map| map.contains(name))
}

#[test]
fn every_line_about_a_job_says_which_and_no_line_holds_a_secret() {
    let folder = folder();
    let mut command = jobmill(folder.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--keys", "on"]);
    command.args(["--log", "trace", "--log-format", "json"]).env("JOBMILL_API_KEY", SECRET);
    let mut server = Server::of(command);
    server.key = Some(SECRET.to_owned());
    let put = Request::put("/flows/mail").body("application/json", r#"{"lease":"1s"}"#);
    assert_eq!(server.ask(&put).0, 201);
    let jobs = format!(
        r#"[{{"flow":"mail","queue":"post","max_attempts":1,"input":{{"password":"{SECRET}"}}}},
            {{"flow":"expand_reduce_flow","input":{{"a":"{SECRET}","b":2,"c":3}},"max_attempts":1,
              "params":{{"merge":"zip","uneven":"error"}}}}]"#
    );
    let (status, answer) = server.ask(&Request::post("/jobs/bulk").body("application/json", jobs));
    assert_eq!(status, 202, "{answer}");
    let ids: Vec<_> = crate::server::items(&answer).iter().map(|job| text(job, "id")).collect();
    let wait = |id: &str| server.ask(&Request::get(format!("/jobs/{id}/results?wait=30s"))).1;
    assert_eq!(text(&wait(ids[1]), "status"), "failed");
    let call = Request::post("/queues/post/lease")
        .body("application/json", r#"{"worker":"w","flows":["mail"]}"#);
    assert_eq!(field(&server.ask(&call).1, "jobs").as_list().map(<[Value]>::len), Some(1));
    // The worker falls silent; its job is lent once more when the lease is over.
    let call = Request::post("/queues/post/lease")
        .body("application/json", r#"{"worker":"w","flows":["mail"],"wait":"20s"}"#);
    assert_eq!(field(&server.ask(&call).1, "jobs").as_list().map(<[Value]>::len), Some(1));
    let fail = r#"{"token":2,"error":{"type":"Busy","message":"no"}}"#;
    let fail = Request::post(format!("/jobs/{}/fail", ids[0])).body("application/json", fail);
    assert_eq!(server.ask(&fail).0, 200);
    server.signal("TERM");
    let mut said = std::mem::take(&mut server.said);
    said.extend(server.rest());
    assert_eq!(server.wait(), 0);

    let leaks: Vec<_> = said.iter().filter(|line| line.contains(SECRET)).collect();
    assert_eq!(leaks, Vec::<&String>::new());
    let lines = lines(&said);
    for line in lines.iter().filter(|line| has(line, "job")) {
        for name in ["flow", "queue", "attempt"] {
            assert!(has(line, name), "no {name} in {line}");
        }
    }
    let of = |id: &str, message: &str| {
        let is_it = |line: &&Value| {
            has(line, "job") && text(line, "job") == id && text(line, "message") == message
        };
        let found = lines.iter().find(is_it);
        found.unwrap_or_else(|| panic!("no {message:?} of {id} in {said:#?}"))
    };
    let lost = of(ids[0], "lease of a worker outside ended without a word");
    assert_eq!((text(lost, "flow"), text(lost, "queue")), ("mail", "post"));
    assert_eq!(text(of(ids[0], "attempt failed"), "code"), "Busy");
    let settled = of(ids[1], "attempt settled");
    assert_eq!((text(settled, "state"), number(settled, "attempt")), ("failed", 1));
}
