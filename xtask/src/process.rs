//! Running other programs from the root of the workspace.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::failure::Failure;

/// What a program printed on both streams, and whether it was content.
pub(crate) struct Captured {
    pub(crate) success: bool,
    pub(crate) lines: Vec<String>,
}

/// The root of the workspace.
pub(crate) fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Whether the program (`cargo nextest` counts as one) is on this machine.
pub(crate) fn answers(line: &[&str]) -> bool {
    command(line).output().is_ok_and(|output| output.status.success())
}

/// Runs a program in front of the person; failing is an error.
pub(crate) fn run(line: &[&str]) -> Result<(), Failure> {
    announce(line);
    let status = command(line).status().map_err(Failure::of(shown(line)))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` ended with {status}", shown(line))))
}

/// Runs a program and returns its stdout; failing is an error that carries its stderr.
pub(crate) fn read(line: &[&str]) -> Result<String, Failure> {
    let output = command(line).output().map_err(Failure::of(shown(line)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!("`{}` failed:\n{}", shown(line), complaint.trim_end())))
}

/// Runs a program in front of the person and keeps what it printed.
pub(crate) fn run_and_keep(line: &[&str]) -> Result<Captured, Failure> {
    announce(line);
    let mut child = command(line)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Failure::of(shown(line)))?;
    let lines = relay(&mut child);
    let status = child.wait().map_err(Failure::of(shown(line)))?;
    Ok(Captured { success: status.success(), lines })
}

/// Copies both streams of the child to ours, line by line, until both end.
fn relay(child: &mut Child) -> Vec<String> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let errors = scope.spawn(|| copy_lines(stderr, std::io::stderr()));
        let mut lines = copy_lines(stdout, std::io::stdout());
        lines.extend(errors.join().expect("copying lines does not panic"));
        lines
    })
}

fn copy_lines(from: Option<impl Read>, mut to: impl Write) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(from) = from else { return lines };
    for bytes in BufReader::new(from).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&bytes).into_owned();
        // A closed terminal does not stop the count.
        let _ = writeln!(to, "{line}");
        lines.push(line);
    }
    lines
}

fn announce(line: &[&str]) {
    println!("$ {}", shown(line));
}

fn shown(line: &[&str]) -> String {
    line.join(" ")
}

fn command(line: &[&str]) -> Command {
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).current_dir(workspace_root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_does_not_answer() {
        assert!(!answers(&["no-such-program-here", "--version"]));
        assert!(answers(&["cargo", "--version"]));
    }

    #[test]
    fn both_streams_are_kept() {
        let kept = run_and_keep(&["sh", "-c", "echo out; echo err >&2; exit 3"]).unwrap();
        assert!(!kept.success);
        assert_eq!(kept.lines, ["out", "err"]);
    }
}
