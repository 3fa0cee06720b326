//! The programs that the bench runs: built in release, each prints one line of JSON.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::figures::Figures;
use crate::failure::Failure;
use crate::process::{self, workspace_root};

/// A small job: eight values in, four entries out.
pub(super) const JOB: &str =
    r#"{"flow":"expand_reduce_flow","input":{"1":"2","3":"4","5":"6","7":"8"}}"#;
/// A flow for workers outside, and a small job of it.
pub(super) const OUTSIDE_FLOW: &str = "outside";
pub(super) const OUTSIDE_JOB: &str = r#"{"flow":"outside","input":{"to":"a"}}"#;
/// How many entries a page of a large result has.
const PAGE_ROWS: usize = 1_000;

/// Where they are.
pub(super) struct Programs {
    pub(super) server: PathBuf,
    pub(super) bare: PathBuf,
    load: PathBuf,
    syncs: PathBuf,
    commits: PathBuf,
}

/// Builds them as they are shipped.
pub(super) fn build() -> Result<Programs, Failure> {
    let what = ["--release", "--locked", "--package", "jobmill", "--bin", "jobmill", "--examples"];
    process::run(&[&["cargo", "build"][..], &what].concat())?;
    let folder = workspace_root().join("target/release");
    let example = |name: &str| folder.join("examples").join(name);
    Ok(Programs {
        server: folder.join("jobmill"),
        bare: example("bare_post"),
        load: example("load"),
        syncs: example("sync_rate"),
        commits: example("commit_rate"),
    })
}

impl Programs {
    /// Asks a server over and over; `ask` is what stands between the address and the numbers.
    pub(super) fn load(
        &self,
        address: &str,
        ask: &[&str],
        connections: usize,
        seconds: f64,
    ) -> Result<Figures, Failure> {
        let (connections, seconds) = (connections.to_string(), seconds.to_string());
        let words = [&[address], ask, &[&connections, &seconds]].concat();
        line_of(Command::new(&self.load).args(words))
    }

    /// Has a server perform one large job and reads its result back.
    pub(super) fn product(&self, address: &str, keys: usize) -> Result<Figures, Failure> {
        let (keys, rows) = (keys.to_string(), PAGE_ROWS.to_string());
        line_of(Command::new(&self.load).args([address, "product", &keys, &rows]))
    }

    /// Leases and completes jobs, so many at a time.
    pub(super) fn lease(
        &self,
        address: &str,
        batch: usize,
        seconds: f64,
    ) -> Result<Figures, Failure> {
        let (batch, seconds) = (batch.to_string(), seconds.to_string());
        let words = [address, "lease", OUTSIDE_FLOW, &batch, &seconds];
        line_of(Command::new(&self.load).args(words))
    }

    /// How often the disk under this folder can sync.
    pub(super) fn syncs(&self, folder: &Path, seconds: f64) -> Result<Figures, Failure> {
        line_of(Command::new(&self.syncs).arg(folder).arg(seconds.to_string()))
    }

    /// How often the store commits for one caller.
    pub(super) fn commits(&self, folder: &Path, seconds: f64) -> Result<Figures, Failure> {
        line_of(Command::new(&self.commits).arg(folder).arg(seconds.to_string()))
    }
}

fn line_of(command: &mut Command) -> Result<Figures, Failure> {
    let shown = format!("{command:?}");
    let output = command.stderr(Stdio::inherit()).output().map_err(Failure::of(&shown))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{shown} ended with {}", output.status)));
    }
    Figures::read(String::from_utf8_lossy(&output.stdout).trim())
}
