//! Calls of workflows that carry a token, which a stand-in for the metadata server hands out.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use jobmill_model::Value;

use crate::client::{Talk, field, text};
use crate::server::Server;

const CALLS: &str = r#"
main:
  params: [url]
  steps:
    - begin: {assign: [{refused: null}]}
    - plain: {call: http.get, args: {url: "${url}"}, result: plain}
    - identity:
        call: http.get
        args: {url: "${url}", headers: {authorization: mine}, auth: {type: OIDC}}
        result: identity
    - access:
        call: http.get
        args: {url: "${url}", auth: {type: OAuth2, scopes: [s1, s2]}}
        result: access
    - forbidden:
        try: {call: http.get, args: {url: "http://metadata.google.internal/computeMetadata/v1/"}}
        except: {as: e, steps: [{kept: {assign: [{refused: "${e.message}"}]}}]}
    - done: {return: "${[plain.body, identity.body, access.body, refused]}"}
"#;

/// A server that hands out tokens, and elsewhere answers with the token that came.
fn stand_in() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().unwrap().unwrap();
            let rest = lines.map(Result::unwrap).take_while(|line| !line.is_empty());
            let headers: Vec<String> = rest.map(|line| line.to_ascii_lowercase()).collect();
            let path = first.split(' ').nth(1).unwrap();
            let sent = headers.iter().find_map(|line| line.strip_prefix("authorization: "));
            let body = match path.strip_prefix("/computeMetadata/v1/instance/service-accounts/") {
                None => Value::from(sent.unwrap_or("nothing")).to_string(),
                Some("default/token?scopes=s1%2Cs2") => {
                    r#"{"access_token":"access","expires_in":3600}"#.to_owned()
                }
                Some(path) if path.starts_with("default/identity?audience=http%3A") => {
                    "e30.e30.identity".to_owned()
                }
                Some(path) => panic!("{path}"),
            };
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    host
}

fn run(talk: &Talk, host: &str) -> Value {
    talk.deploy("calls", CALLS);
    let argument = Value::from(format!("http://{host}/")).to_string();
    let body = Value::map([("argument", argument.into())]).to_string();
    talk.ended(&talk.execute("calls", &body))
}

#[test]
fn calls_carry_the_token_that_the_metadata_server_hands_out() {
    let host = stand_in();
    for start in [
        Server::start(&["--google-metadata", &host], &[]),
        Server::start(&[], &[("GCE_METADATA_HOST", &host)]),
    ] {
        let ended = run(&Talk(start), &host);
        assert_eq!(text(&ended, "state"), "SUCCEEDED", "{ended}");
        let result = text(&ended, "result");
        // The header that the workflow sets itself gives way.
        let tokens = r#"["nothing","bearer e30.e30.identity","bearer access","#;
        assert!(result.starts_with(tokens), "{result}");
        // To the workflow's own calls the metadata server is closed.
        assert!(result.contains("no setting allows that"), "{result}");
    }
}

#[test]
fn a_call_that_wants_a_token_fails_where_there_is_none() {
    let ended = run(&Talk::start(), &stand_in());
    assert_eq!(text(&ended, "state"), "FAILED");
    let error = text(&ended, "error/payload");
    assert!(error.contains(r#""tags":["AuthError"]"#) && error.contains("google_key"), "{error}");
    assert!(text(&ended, "error/context").contains("in step \"identity\""), "{ended}");
    assert_eq!(text(field(&ended, "error/stackTrace/elements/0"), "routine"), "main");
}
