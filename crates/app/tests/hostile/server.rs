//! The real server as a child process that is listened to and looked at.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A running server with a data folder of its own; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    said: Arc<Mutex<Vec<String>>>,
    listener: Option<JoinHandle<()>>,
    _data: tempfile::TempDir,
}

impl Server {
    /// Starts it with more flags and variables of the environment, and no other ones.
    pub(crate) fn start(flags: &[&str], environment: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(env!("CARGO_BIN_EXE_jobmill"))
            .env_clear()
            .envs(environment.iter().copied())
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data.path())
            .args(["--process-sleep", "0s"])
            .args(flags)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server can be started");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let address = address(&mut lines);
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        let listener = std::thread::spawn(move || {
            for line in lines.split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                heard.lock().expect("nobody panics with it").push(line);
            }
        });
        Self { child, address, said, listener: Some(listener), _data: data }
    }

    /// Whether the process has not ended by itself.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What it said of panics and failures so far.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let said = self.said.lock().expect("nobody panics with it");
        let bad = |line: &&String| line.contains("panicked") || line.contains("ERROR");
        said.iter().filter(bad).cloned().collect()
    }

    /// Ends it and gives all its complaints.
    pub(crate) fn end(mut self) -> Vec<String> {
        self.kill();
        self.complaints()
    }

    /// The memory that it holds, where the system tells.
    #[allow(dead_code, reason = "the contract test does not ask for it")]
    pub(crate) fn resident_mib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib / 1_024)
    }

    fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads what it says until it has said where it listens.
fn address(lines: &mut BufReader<ChildStderr>) -> SocketAddr {
    let mut said = String::new();
    loop {
        let before = said.len();
        let read = lines.read_line(&mut said).expect("it says text");
        assert!(read > 0, "the server ended at its start:\n{said}");
        if let Some((_, address)) = said[before..].split_once("listening on http://") {
            return address.trim().parse().expect("an address");
        }
    }
}
