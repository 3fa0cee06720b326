//! The real server as a child process: started, frozen, killed, stopped in order.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use jobmill_engine::clock::{Clock, SystemClock};
use jobmill_model::Span;
use tokio::sync::oneshot;

use super::flows::LENT;
use super::hands::LEASE;

/// A server that recovers a data file of this size begins to serve sooner, or never.
const START: Span = Span::from_secs(60);
/// An orderly end takes less.
const STOP: Span = Span::from_secs(60);
const LOOK: Span = Span::from_millis(10);

/// Enough that there are free performers beside a late attempt.
const WORKERS: &str = "4";

/// What servers are started from: the program, the folder, and how often they will be killed.
pub(super) struct Mill {
    /// The program.
    pub(super) program: PathBuf,
    /// Holds the data folder and the log.
    pub(super) folder: PathBuf,
    /// No job may fail because of the kills alone.
    pub(super) max_crashes: u32,
}

/// A server process. It is killed when dropped.
pub(super) struct Server {
    child: Child,
    said: Option<oneshot::Receiver<SocketAddr>>,
    clock: SystemClock,
}

impl Mill {
    /// Declares the flow that is left to workers outside, in the file that servers read.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn declare(&self) -> io::Result<()> {
        let text = format!("[flows.{LENT}]\nlease = \"{LEASE}\"\n");
        std::fs::write(self.folder.join("jobmill.toml"), text)
    }

    /// Where the server's words of all its lives are.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Starts the process; it does not serve yet.
    ///
    /// # Errors
    /// The program cannot be started, or the log not written.
    pub(super) fn spawn(&self, life: u32) -> io::Result<Server> {
        let mut log = OpenOptions::new().create(true).append(true).open(self.log())?;
        writeln!(log, "--- life {life}")?;
        // Neither the environment nor a configuration file of whoever tests has a say.
        let mut child = Command::new(&self.program)
            .env_clear()
            .current_dir(&self.folder)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--log", "warn"])
            .args(["--workers", WORKERS, "--max-crashes", &self.max_crashes.to_string()])
            .arg(format!("--{}", super::FLAG))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let (say, said) = oneshot::channel();
        if let Some(words) = child.stderr.take() {
            std::thread::spawn(move || listen(words, log, say));
        }
        Ok(Server { child, said: Some(said), clock: SystemClock::default() })
    }
}

/// Writes down what a server says, and tells where it listens once it has said so.
fn listen(words: impl Read, mut log: File, say: oneshot::Sender<SocketAddr>) {
    let mut say = Some(say);
    for line in BufReader::new(words).lines().map_while(Result::ok) {
        // A log that cannot be written is missed by nobody while all is well.
        let _ = writeln!(log, "{line}");
        let address = line.strip_prefix("listening on http://").and_then(|it| it.parse().ok());
        if let (Some(address), true) = (address, say.is_some()) {
            // Nobody waits for a server that is killed before it serves.
            let _ = say.take().map(|say| say.send(address));
        }
    }
}

impl Server {
    /// Waits until it serves; its address.
    ///
    /// # Errors
    /// It ended, or takes too long.
    pub(super) async fn serves(&mut self) -> io::Result<SocketAddr> {
        let Some(said) = self.said.take() else {
            return Err(io::Error::other("it has been asked before"));
        };
        let over = self.clock.now().after(START);
        tokio::select! {
            address = said => address.map_err(|_| io::Error::other("it ended at its start")),
            () = self.clock.sleep_until(over) => {
                Err(io::Error::other(format!("it does not serve after {START}")))
            }
        }
    }

    /// How it ended by itself, if it has.
    ///
    /// # Errors
    /// The system does not tell.
    pub(super) fn has_ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Kills it with SIGKILL, frozen or not, and waits until it is gone.
    ///
    /// # Errors
    /// The system does not let it be killed.
    pub(super) fn kill(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Asks it to end in order; how it ended.
    ///
    /// # Errors
    /// It does not end within a minute.
    pub(super) async fn stop(mut self) -> io::Result<ExitStatus> {
        signal::send(&self.child, signal::TERM)?;
        let over = self.clock.now().after(STOP);
        while self.clock.now() < over {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            self.clock.sleep_until(self.clock.now().after(LOOK)).await;
        }
        Err(io::Error::other(format!("it did not end within {STOP} of SIGTERM")))
    }

    /// Stops it in the middle of whatever it does, with SIGSTOP.
    ///
    /// # Errors
    /// The system cannot do that.
    pub(super) fn freeze(&self) -> io::Result<()> {
        signal::send(&self.child, signal::STOP)
    }

    /// Lets it go on after a freeze.
    ///
    /// # Errors
    /// The system cannot do that.
    pub(super) fn thaw(&self) -> io::Result<()> {
        signal::send(&self.child, signal::CONT)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Signals to a child that has not been waited for, so that its number is still its own.
#[cfg(unix)]
mod signal {
    use std::io;
    use std::process::Child;

    use rustix::process::{Pid, Signal, kill_process};

    pub(super) const TERM: Signal = Signal::TERM;
    pub(super) const STOP: Signal = Signal::STOP;
    pub(super) const CONT: Signal = Signal::CONT;

    pub(super) fn send(child: &Child, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(child), signal)?)
    }
}

#[cfg(not(unix))]
mod signal {
    use std::io;
    use std::process::Child;

    pub(super) const TERM: () = ();
    pub(super) const STOP: () = ();
    pub(super) const CONT: () = ();

    pub(super) fn send(_child: &Child, _signal: ()) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
