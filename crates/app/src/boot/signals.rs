//! SIGTERM and SIGINT: the first asks for an orderly end, the second gets one at once.

use std::io;

/// What a shell reports of a program that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// The signals that end a server.
#[cfg(unix)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen; from here on they do not kill the process.
    ///
    /// # Errors
    /// The system does not let the process listen.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The signals that end a server.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// None.
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Where Ctrl-C cannot be heard, the process ends without it.
        let _ = tokio::signal::ctrl_c().await;
    }
}

impl Signals {
    /// Returns at the first signal; a second one ends the process.
    pub async fn first(mut self, told: impl FnOnce(), hurried: impl FnOnce() + Send + 'static) {
        self.next().await;
        told();
        tokio::spawn(async move {
            self.next().await;
            hurried();
            std::process::exit(INTERRUPTED);
        });
    }
}
