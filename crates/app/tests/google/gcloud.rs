//! `gcloud workflows`, on machines that have it.

use std::path::Path;
use std::process::Command;

use jobmill_model::Value;

use crate::client::{Talk, column, text};
use crate::program::{self, Ended};

const ADD: &str = "main:\n  params: [args]\n  steps:\n  - done:\n      \
                   return: ${args.a + args.b}\n";
const SLEEPS: &str = "- wait:\n    call: sys.sleep\n    args:\n      seconds: 3600\n";
const WRONG: &str = "- done:\n    return: ${varC}\n";

/// `gcloud` with a configuration of its own that points at the server.
struct Gcloud<'a> {
    talk: &'a Talk,
    folder: &'a Path,
}

impl Gcloud<'_> {
    fn run(&self, args: &[&str]) -> Ended {
        let url = format!("{}/", self.talk.url());
        let mut command = Command::new("gcloud");
        command
            .args(args)
            .args(["--quiet", "--location=us-central1"])
            .current_dir(self.folder)
            .env("CLOUDSDK_CONFIG", self.folder.join("config"))
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_WORKFLOWS", &url)
            .env("CLOUDSDK_API_ENDPOINT_OVERRIDES_WORKFLOWEXECUTIONS", &url)
            .env("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
            .env("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true")
            .env("CLOUDSDK_CORE_PROJECT", "my-project");
        program::run(command)
    }

    /// The JSON that a command writes.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let out = self.run(&[args, &["--format=json"]].concat()).ok();
        Value::from_json(out.as_bytes()).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    #[track_caller]
    fn deploy(&self, name: &str, source: &str) -> Ended {
        let file = format!("{name}.yaml");
        std::fs::write(self.folder.join(&file), source).unwrap();
        self.run(&["workflows", "deploy", name, &format!("--source={file}"), "--format=json"])
    }
}

#[test]
fn gcloud_deploys_runs_describes_lists_and_cancels() {
    if !program::answers("gcloud", "--version") {
        eprintln!("skipped: gcloud is not on this machine");
        return;
    }
    let (talk, folder) = (Talk::start(), tempfile::tempdir().unwrap());
    let gcloud = Gcloud { talk: &talk, folder: folder.path() };
    let deployed = gcloud.deploy("add", ADD).ok();
    assert!(deployed.contains("\"revisionId\": \"000001-"), "{deployed}");
    let deployed = gcloud.deploy("add", &ADD.replace(" + ", " * ")).ok();
    assert!(deployed.contains("\"revisionId\": \"000002-"), "{deployed}");
    let shown = gcloud.json(&["workflows", "describe", "add"]);
    assert!(text(&shown, "sourceContents").contains("args.a * args.b"), "{shown}");

    let ran = gcloud.json(&["workflows", "run", "add", r#"--data={"a":6,"b":7}"#]);
    assert_eq!((text(&ran, "state"), text(&ran, "result")), ("SUCCEEDED", "42"));
    gcloud.deploy("sleeps", SLEEPS).ok();
    let begun = gcloud.json(&["workflows", "execute", "sleeps"]);
    let id = text(&begun, "name").rsplit('/').next().unwrap();
    let of_it = [id, "--workflow=sleeps"];
    let shown = gcloud.json(&[&["workflows", "executions", "describe"], &of_it[..]].concat());
    assert_eq!(text(&shown, "state"), "ACTIVE");
    gcloud.run(&[&["workflows", "executions", "cancel"], &of_it[..]].concat()).ok();
    let listed = gcloud.json(&["workflows", "executions", "list", "sleeps"]);
    assert_eq!(listed.as_list().map(<[Value]>::len), Some(1));
    assert_eq!(text(&listed, "0/state"), "CANCELLED");
    let listed = Value::map([("rows", gcloud.json(&["workflows", "list"]))]);
    assert_eq!(column(&listed, "rows", "revisionId").len(), 2);
}

#[test]
fn gcloud_shows_what_is_wrong_with_a_definition() {
    if !program::answers("gcloud", "--version") {
        eprintln!("skipped: gcloud is not on this machine");
        return;
    }
    let (talk, folder) = (Talk::start(), tempfile::tempdir().unwrap());
    let gcloud = Gcloud { talk: &talk, folder: folder.path() };
    let refused = gcloud.deploy("wrong", WRONG);
    assert!(!refused.succeeded, "{refused:?}");
    let sentence = "symbol 'varC' is neither a variable nor a sub-workflow name";
    assert!(refused.err.contains(sentence), "{refused:?}");
}
