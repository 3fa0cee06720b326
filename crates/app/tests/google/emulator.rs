//! Google's own emulator of Firestore, on machines that have it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The emulator, as the Cloud SDK installs it.
const FOLDER: &str = "google-cloud-sdk/platform/cloud-firestore-emulator";
/// What its start script runs.
const MAIN: &str = "com.google.cloud.datastore.emulator.firestore.CloudFirestore";

pub(crate) struct Emulator {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Emulator {
    /// Starts it, if it is here.
    pub(crate) fn start() -> Option<Self> {
        let jar = ["/usr/lib", "/usr/share", "/opt"]
            .map(|folder| Path::new(folder).join(FOLDER).join("cloud-firestore-emulator.jar"));
        let Some(jar) = jar.into_iter().find(|jar| jar.exists()) else {
            eprintln!("skipped: Google's emulator of Firestore is not on this machine");
            return None;
        };
        if Command::new("java").arg("-version").stderr(Stdio::null()).status().is_err() {
            eprintln!("skipped: there is no java on this machine");
            return None;
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // Without its script: the process that is started is the one that is ended.
        let mut command = Command::new("java");
        command.arg("-cp").arg(jar).args([MAIN, "start", "--host=127.0.0.1"]);
        command.arg(format!("--port={}", address.port()));
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut emulator = Self { process, address };
        while TcpStream::connect(address).is_err() {
            let ended = emulator.process.try_wait().unwrap();
            assert_eq!(ended, None, "the emulator ended at its start");
            std::thread::yield_now();
        }
        Some(emulator)
    }
}
