//! Starts the real binary: commands that end, and servers that a test can talk to.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use jobmill::client::{Client, Request};
use jobmill::config::Secret;
use jobmill_model::Value;
use tempfile::TempDir;

/// The binary without the environment and the files of whoever runs the tests.
pub(crate) fn jobmill(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jobmill"));
    command.env_clear().current_dir(folder);
    command
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The JSON that it wrote.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        Value::from_json(self.out.as_bytes()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, having checked its exit code.
    #[track_caller]
    pub(crate) fn with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a command to its end.
pub(crate) fn run(folder: &Path, args: &[&str]) -> Ended {
    jobmill(folder).args(args).output().unwrap().into()
}

/// Runs a command to its end with this standard input.
pub(crate) fn run_with_input(mut command: Command, input: &str) -> Ended {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// A server process that has said where it listens.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// The API key that it asks for, if it does.
    pub(crate) key: Option<String>,
    /// What it said until then, line by line.
    pub(crate) said: Vec<String>,
    err: BufReader<ChildStderr>,
}

impl Server {
    /// Starts `jobmill serve` on a free port of 127.0.0.1.
    pub(crate) fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = jobmill(folder);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", "data"]).args(args);
        Self::of(command)
    }

    /// Waits until the process says where it listens.
    pub(crate) fn of(command: Command) -> Self {
        let mut server = Self::until(command, "listening on ");
        let (_, url) = server.said.last().and_then(|it| it.split_once("listening on ")).unwrap();
        server.url = url.split(['"', ',']).next().unwrap_or_default().to_owned();
        server
    }

    /// Starts `jobmill worker` for this server, which is a process with an order to end as well.
    pub(crate) fn worker(&self, args: &[&str]) -> Self {
        Self::until(self.command(&[&["worker"], args].concat()), " at once of the queue ")
    }

    /// Starts a process and waits until it says this.
    fn until(mut command: Command, part: &str) -> Self {
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let err = BufReader::new(child.stderr.take().unwrap());
        let (url, key, said) = (String::new(), None, Vec::new());
        let mut process = Self { child, url, key, said, err };
        while process.said.last().is_none_or(|line| !line.contains(part)) {
            let line = next_line(&mut process.err);
            process.said.push(line.unwrap_or_else(|| panic!("it said {:?}", process.said)));
        }
        process
    }

    /// Runs a command that talks to this server.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.command(args).output().unwrap().into()
    }

    /// A command that talks to this server.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = jobmill(Path::new("."));
        command.args(args).env("JOBMILL_SERVER", &self.url);
        command
    }

    /// Asks over HTTP; the status and the body of the answer.
    #[track_caller]
    pub(crate) fn ask(&self, request: &Request) -> (u16, Value) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let key = self.key.as_ref().map(Secret::new);
            let client = Client::new(self.url.parse().unwrap(), key);
            let answer = client.send(request).await.unwrap();
            (answer.status(), answer.value().await.unwrap())
        })
    }

    /// Submits a job and gives its id.
    #[track_caller]
    pub(crate) fn submit(&self, args: &[&str]) -> String {
        let ended = self.run(&[&["jobs", "submit"], args].concat()).with(0);
        ended.out.trim().to_owned()
    }

    /// The job's status as it stands.
    #[track_caller]
    pub(crate) fn status(&self, id: &str) -> String {
        let job = self.run(&["jobs", "show", id, "--json"]).with(0).json();
        text(&job, "status").to_owned()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Reads what it says up to a line with this in it.
    #[track_caller]
    pub(crate) fn hear(&mut self, part: &str) {
        while let Some(line) = next_line(&mut self.err) {
            if line.contains(part) {
                return;
            }
        }
        panic!("it ended without saying {part:?}");
    }

    /// What it says from here to its end.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| next_line(&mut self.err)).collect()
    }

    /// Waits for its end and gives the exit code.
    pub(crate) fn wait(&mut self) -> i32 {
        self.child.wait().unwrap().code().expect("it ended by itself")
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) -> i32 {
        self.signal("TERM");
        self.wait()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn next_line(err: &mut BufReader<ChildStderr>) -> Option<String> {
    let mut line = String::new();
    (err.read_line(&mut line).unwrap() > 0).then(|| line.trim_end().to_owned())
}

/// Whether a program is on this machine; says so if not, because its test is skipped then.
pub(crate) fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    let is_there = command.arg("--version").output().is_ok_and(|out| out.status.success());
    if !is_there {
        eprintln!("skipped: the program {program} is not on this machine");
    }
    is_there
}

/// A job that fails for good.
pub(crate) const UNEVEN: [&str; 5] = [
    "expand_reduce_flow",
    "--input",
    r#"{"a":1,"b":2,"c":3}"#,
    "--params",
    r#"{"merge":"zip","uneven":"error"}"#,
];

/// An empty folder.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A text of an object.
#[track_caller]
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    field(value, name).as_str().unwrap_or_else(|| panic!("{name:?} is no text in {value}"))
}

/// A field of an object.
#[track_caller]
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    let field = value.as_map().and_then(|map| map.get(name));
    field.unwrap_or_else(|| panic!("no {name:?} in {value}"))
}

/// A number of an object.
#[track_caller]
pub(crate) fn number(value: &Value, name: &str) -> i64 {
    field(value, name).as_int().unwrap()
}

/// The items of a list answer.
#[track_caller]
pub(crate) fn items(value: &Value) -> &[Value] {
    field(value, "items").as_list().unwrap()
}

/// The input of a product of two halves of this many keys, in a file; what stands after
/// `--input`.
pub(crate) fn product(folder: &Path, half: usize) -> String {
    let keys = (0..2 * half).map(|key| format!("\"k{key}\":{key}"));
    let path = folder.join("product.json");
    std::fs::write(&path, format!("{{{}}}", keys.collect::<Vec<_>>().join(","))).unwrap();
    format!("@{}", path.display())
}
