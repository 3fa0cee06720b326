//! `jobmill workflows`: checked, run right here, deployed, run on a server that is killed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use jobmill_model::Value;

use crate::server::{Ended, Server, folder, jobmill, run, text};

const DOUBLE: &str = "main:\n  params: [args]\n  steps:\n    - twice:\n        assign:\n          - \
                      x: ${args.n * 2}\n    - done:\n        return: ${x}\n";

fn write(folder: &Path, name: &str, text: &str) -> String {
    std::fs::write(folder.join(name), text).unwrap();
    name.to_owned()
}

#[test]
fn every_finding_is_shown_with_its_place() {
    let folder = folder();
    let bad =
        write(folder.path(), "bad.yaml", "- a:\n    return: ${x}\n- b:\n    call: http.gett\n");
    let ended = run(folder.path(), &["workflows", "check", &bad]).with(1);
    assert!(ended.out.contains("bad.yaml:2:15: error["), "{}", ended.out);
    assert!(ended.out.contains('^') && ended.out.contains("http.get"), "{}", ended.out);
    let json = run(folder.path(), &["workflows", "check", &bad, "--json"]).with(1).json();
    let files = json.as_list().unwrap();
    assert!(files[0].as_map().unwrap().get("findings").unwrap().as_list().unwrap().len() >= 2);
    let good = write(folder.path(), "good.yaml", DOUBLE);
    run(folder.path(), &["workflows", "check", &good]).with(0);
    run(folder.path(), &["workflows", "check", "missing.yaml"]).with(2);
    let long = format!("- a:\n    return: ${{\"{}\"}}\n", "x".repeat(450));
    let long = write(folder.path(), "long.yaml", &long);
    run(folder.path(), &["workflows", "check", &long]).with(0);
    run(folder.path(), &["workflows", "check", "--gcp-limits", &long]).with(1);
}

/// The samples, if they are on this machine, with those that are no templates.
fn samples() -> Vec<PathBuf> {
    let default =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/gcp-workflows/samples");
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    let folder = std::env::var_os("JOBMILL_SAMPLES").map_or(default, PathBuf::from);
    let Ok(manifest) = std::fs::read_to_string(folder.join("MANIFEST.tsv")) else {
        eprintln!("skipped: no samples at {} (set JOBMILL_SAMPLES)", folder.display());
        return Vec::new();
    };
    let rows = manifest.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|cells| cells[8] != "template").map(|cells| folder.join(cells[0])).collect()
}

#[test]
fn every_sample_that_is_no_template_passes() {
    let samples = samples();
    if samples.is_empty() {
        return;
    }
    let files = samples.iter().map(|path| path.to_str().unwrap());
    let args: Vec<&str> = ["workflows", "check"].into_iter().chain(files).collect();
    run(folder().path(), &args).with(0);
}

#[test]
fn a_file_is_run_right_here_and_its_steps_are_shown() {
    let folder = folder();
    let file = write(folder.path(), "double.yaml", DOUBLE);
    let args = ["workflows", "run", &file, "--data", r#"{"n":21}"#];
    let ended = run(folder.path(), &args).with(0);
    assert_eq!(ended.out.trim(), "42");
    assert!(ended.err.contains("main · twice") && ended.err.contains("main · done"), "{ended:?}");
    let json = run(folder.path(), &[&args[..], &["--json"]].concat()).with(0).json();
    assert_eq!(text(&json, "status"), "completed");
    assert_eq!(json.as_map().unwrap().get("result"), Some(&Value::from(42)));
    let failed = run(folder.path(), &["workflows", "run", &file, "--data", "{}"]).with(1);
    assert!(failed.err.contains("KeyError"), "{failed:?}");
}

const RESTS: &str = "\
main:
  steps:
    - first:
        call: sys.log
        args: {text: hello, severity: NOTICE}
    - rest:
        call: sys.sleep
        args: {seconds: 0.01}
    - both:
        parallel:
          for:
            value: v
            in: [1, 2]
            steps:
              - nap:
                  call: sys.sleep
                  args: {seconds: 0.01}
    - inner:
        call: fails
fails:
  steps:
    - wrong:
        raise: {code: 7}
";

#[test]
fn each_step_of_a_file_is_shown_once_whatever_it_waits_for_and_a_failure_with_its_place() {
    let folder = folder();
    let file = write(folder.path(), "rests.yaml", RESTS);
    let ended = run(folder.path(), &["workflows", "run", &file]).with(1);
    let times = |line: &str| ended.err.lines().filter(|it| it.trim() == line).count();
    for (line, count) in [
        ("main · first", 1),
        ("log NOTICE: hello", 1),
        ("main · rest", 1),
        ("main · both", 1),
        ("main · nap", 2),
        ("fails · wrong", 1),
        (r#"in step "wrong", routine "fails", line: 23"#, 1),
        (r#"in step "inner", routine "main", line: 19"#, 1),
    ] {
        assert_eq!(times(line), count, "{line}: {}", ended.err);
    }
    assert!(ended.err.contains(r#"error: the execution failed: RuntimeError: {"code":7}"#));
}

const PATCHES: &str = "\
- patch:
    call: googleapis.firestore.v1.projects.databases.documents.patch
    args:
      name: projects/p/databases/(default)/documents/c/x
      body: {fields: {n: {integerValue: 5}}}
";
const GETS: &str = "\
- get:
    call: googleapis.firestore.v1.projects.databases.documents.get
    args: {name: projects/p/databases/(default)/documents/c/x}
    result: document
- done:
    return: ${document.fields.n.integerValue}
";

#[test]
fn a_file_that_is_run_here_reaches_the_emulator_that_is_set() {
    let (there, here) = (folder(), folder());
    let server = Server::start(there.path(), &[]);
    let (patches, gets) =
        (write(here.path(), "patches.yaml", PATCHES), write(here.path(), "gets.yaml", GETS));
    let run = |file: &str, emulator: Option<&str>| {
        let mut command = jobmill(here.path());
        command.args(["workflows", "run", file]);
        command.envs(emulator.map(|host| ("FIRESTORE_EMULATOR_HOST", host)));
        Ended::from(command.output().unwrap())
    };
    let address = server.url.trim_start_matches("http://").to_owned();
    run(&patches, Some(&address)).with(0);
    assert_eq!(run(&gets, Some(&address)).with(0).out.trim(), "\"5\"");
    let nowhere = run(&gets, None).with(1);
    assert!(nowhere.err.contains("HTTP server responded with error code 404"), "{nowhere:?}");
}

#[test]
fn a_workflow_is_deployed_run_shown_and_deleted() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let path = folder.path().join("double.yaml");
    std::fs::write(&path, DOUBLE).unwrap();
    let path = path.to_str().unwrap();
    let deployed = server.run(&["workflows", "deploy", path]).with(0);
    assert!(deployed.out.contains("double is deployed as revision 000001-"), "{deployed:?}");
    assert!(server.run(&["workflows", "list"]).with(0).out.contains("double"));
    let shown = server.run(&["workflows", "show", "double", "--json"]).with(0).json();
    assert_eq!(text(&shown, "source"), DOUBLE);
    let args = ["workflows", "run", "double", "--data", r#"{"n":4}"#, "--json"];
    let ran = server.run(&args).with(0).json();
    assert_eq!(ran.as_map().unwrap().get("result"), Some(&Value::from(8)));
    server.run(&["workflows", "delete", "double"]).with(0);
    server.run(&["workflows", "show", "double"]).with(1);
}

const PARENT: &str = "\
main:
  steps:
    - none:
        assign: [{tag: null}, {code: null}]
    - one:
        call: googleapis.workflowexecutions.v1.projects.locations.workflows.executions.run
        args:
          workflow_id: double
          argument: {n: 5}
        result: one
    - many:
        call: experimental.executions.map
        args:
          workflow_id: double
          arguments: [{n: 1}, {n: 2}, {n: 3}]
        result: many
    - bad:
        try:
          call: experimental.executions.run
          args: {workflow_id: double, argument: {}}
        except:
          as: e
          steps:
            - keep:
                assign:
                  - tag: ${e.tags[0]}
    - missing:
        try:
          call: experimental.executions.run
          args: {workflow_id: nothing}
        except:
          as: e
          steps:
            - code:
                assign:
                  - code: ${e.code}
    - done:
        return: ${[one, many, tag, code]}
";

#[test]
fn an_execution_runs_others_and_sees_their_results_and_failures() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--workers", "1"]);
    for (name, source) in [("double", DOUBLE), ("parent", PARENT)] {
        let path = folder.path().join(format!("{name}.yaml"));
        std::fs::write(&path, source).unwrap();
        server.run(&["workflows", "deploy", path.to_str().unwrap()]).with(0);
    }
    let ran = server.run(&["workflows", "run", "parent", "--json"]).with(0).json();
    let result = ran.as_map().unwrap().get("result").unwrap().to_string();
    assert_eq!(result, r#"[10,[2,4,6],"OperationError",404]"#);
    let children = server.run(&["jobs", "list", "--json"]).with(0).json();
    let id = text(&ran, "id");
    let parent = |job: &Value| job.as_map().unwrap().get("parent").cloned();
    let of_parent = |job: &&Value| parent(job) == Some(Value::from(id));
    let children = crate::server::items(&children).iter().filter(of_parent);
    assert_eq!(children.count(), 5);
}

/// Endless loops and recursion end with their limits, and nobody waits for them.
#[test]
fn a_runaway_execution_fails_and_blocks_nobody() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--gcp-limits", "on", "--workers", "1"]);
    let deploy = |name: &str, source: &str| {
        let path = folder.path().join(format!("{name}.yaml"));
        std::fs::write(&path, source).unwrap();
        server.run(&["workflows", "deploy", path.to_str().unwrap()]).with(0);
    };
    deploy("endless", "- a:\n    next: b\n- b:\n    next: a\n");
    deploy("deep", "main:\n  steps:\n    - a:\n        call: main\n");
    deploy("good", "- a:\n    return: 1\n");
    let endless = server.submit(&["workflow:endless"]);
    server.run(&["workflows", "run", "good"]).with(0);
    let deep = server.run(&["workflows", "run", "deep"]).with(1);
    assert!(deep.err.contains("RecursionError"), "{deep:?}");
    let endless = server.run(&["jobs", "wait", &endless]).with(1);
    assert!(endless.err.contains("ResourceLimitError"), "{endless:?}");
}

/// Answers every call with its path, and tells which came.
struct Counting {
    address: SocketAddr,
    calls: Receiver<(String, String)>,
}

impl Counting {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, calls) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                std::thread::spawn(move || answer(stream, &sender));
            }
        });
        Self { address, calls }
    }
}

fn answer(mut stream: std::net::TcpStream, sender: &Sender<(String, String)>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut path, mut key) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if path.is_empty() {
                line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("idempotency-key")
            {
                value.trim().clone_into(&mut key);
            }
            if line == "\r\n" {
                break;
            }
        }
        let _ = sender.send((path, key));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
}

/// Two branches of five calls each, with a sleep after each call, then one more call.
fn branches(address: SocketAddr) -> String {
    let branch = |name: &str| {
        format!(
            "        - {name}:\n            steps:\n              - loop_{name}:\n                  \
             for:\n                    value: i\n                    range: [1, 5]\n                    \
             steps:\n                      - call_{name}:\n                          \
             call: http.get\n                          args:\n                            \
             url: ${{\"http://{address}/{name}/\" + string(i)}}\n                      \
             - sleep_{name}:\n                          call: sys.sleep\n                          \
             args:\n                            seconds: 0.02\n"
        )
    };
    format!(
        "main:\n  steps:\n    - both:\n        parallel:\n          branches:\n{}{}    - last:\n        \
         call: http.get\n        args:\n          url: http://{address}/last/1\n    - done:\n        \
         return: done\n",
        indented(&branch("a")),
        indented(&branch("b")),
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn a_killed_execution_goes_on_and_no_committed_call_is_made_again() {
    let folder = folder();
    let counting = Counting::start();
    let path = folder.path().join("branches.yaml");
    std::fs::write(&path, branches(counting.address)).unwrap();
    let mut server = Server::start(folder.path(), &[]);
    server.run(&["workflows", "deploy", path.to_str().unwrap()]).with(0);
    let id = server.submit(&["workflow:branches"]);
    let mut seen: Vec<(String, String)> = Vec::new();
    // Killed once so many more calls have come: between other effects each time.
    for more in [1, 2, 1, 3, 1] {
        for _ in 0..more {
            seen.push(counting.calls.recv().unwrap());
        }
        server.signal("KILL");
        let _ = server.child.wait();
        server = Server::start(folder.path(), &[]);
    }
    let ended = server.run(&["jobs", "wait", &id]).with(0);
    assert!(ended.out.contains("completed"));
    seen.extend(counting.calls.try_iter());
    assert_whole(&seen);
}

/// Every call came, a repeated one under its own key, and none after the next of its branch:
/// that one begins only when the outcome of the one before is on disk.
fn assert_whole(seen: &[(String, String)]) {
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    let mut furthest: BTreeMap<&str, u32> = BTreeMap::new();
    for (path, key) in seen {
        assert_eq!(*keys.entry(path).or_insert(key), key, "the key of {path}");
        let (branch, number) = path.trim_start_matches('/').split_once('/').unwrap();
        let number: u32 = number.parse().unwrap();
        let last = furthest.entry(branch).or_insert(0);
        assert!(number >= *last, "{path} came again: {seen:?}");
        assert!(number <= *last + 1, "{path} came too early: {seen:?}");
        *last = number;
    }
    let all = furthest.into_iter().collect::<Vec<_>>();
    assert_eq!(all, [("a", 5), ("b", 5), ("last", 1)]);
}
