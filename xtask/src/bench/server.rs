//! Servers as child processes: ours and the bare one.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::failure::Failure;

/// A running server; killed when dropped.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts `jobmill serve` on this data folder.
    pub(super) fn start(program: &Path, data: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        // A configuration file of whoever runs the bench stays out of it.
        command.current_dir(data.parent().unwrap_or(data));
        Self::of(command)
    }

    /// Starts a server that answers and does nothing else.
    pub(super) fn start_bare(program: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.arg("127.0.0.1:0");
        Self::of(command)
    }

    fn of(mut command: Command) -> Result<Self, Failure> {
        let shown = format!("{command:?}");
        let mut child = command
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Failure::of(&shown))?;
        let stderr = child.stderr.take().expect("stderr is a pipe");
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let mut said = Vec::new();
        for line in lines.by_ref() {
            let address = line.split_once("listening on http://").map(|(_, rest)| rest.parse());
            said.push(line);
            if let Some(Ok(address)) = address {
                thread::spawn(move || lines.for_each(|line| pass_on(&line)));
                return Ok(Self { child, address });
            }
        }
        drop(child.kill());
        drop(child.wait());
        Err(Failure::new(format!("{shown} ended at its start:\n{}", said.join("\n"))))
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end in order and waits until it has.
    pub(super) fn stop(mut self) -> Result<(), Failure> {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        sent.map_err(Failure::of("kill"))?;
        let status = self.child.wait().map_err(Failure::of("the server's end"))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!("the server ended with {status}")))
    }
}

/// Shows what a server complains about. Whatever it says is read: the pipe must not fill up.
fn pass_on(line: &str) {
    if line.contains("WARN") || line.contains("ERROR") {
        eprintln!("  server: {line}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
