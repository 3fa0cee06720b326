//! Other programs, run to their end but not for ever.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What a client may take on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(240);

/// A folder of clients under `target`, if they were installed from these very requirements.
pub(crate) fn installed(folder: &str, file: &str, requirements: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").join(folder);
    let from = std::fs::read_to_string(folder.join(file));
    if from.is_ok_and(|from| from == requirements) {
        return Some(folder);
    }
    eprintln!("skipped: the clients are not in {}; see `cargo xtask test`", folder.display());
    None
}

/// Whether a program is there and can be started.
pub(crate) fn answers(program: &str, flag: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(flag).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) succeeded: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// What it wrote, having ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert!(self.succeeded, "{}\n{}", self.out, self.err);
        self.out
    }
}

/// Runs a program to its end.
#[track_caller]
pub(crate) fn run(mut command: Command) -> Ended {
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let said = format!("{command:?}");
    let child = command.spawn().unwrap_or_else(|error| panic!("{said}: {error}"));
    let id = child.id().to_string();
    let (done, outcome) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let output = outcome.recv_timeout(PATIENCE).unwrap_or_else(|_| {
        // It may end at this very moment.
        let _ = Command::new("kill").arg(&id).status();
        panic!("{said} took longer than {PATIENCE:?}");
    });
    let Output { status, stdout, stderr } = output.unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ended { succeeded: status.success(), out: text(&stdout), err: text(&stderr) }
}
