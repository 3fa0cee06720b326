//! Data folders with many jobs, made once and copied for each workload.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::Hasher;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::client::{self, Client};
use super::clock;
use super::programs::{JOB, OUTSIDE_FLOW, OUTSIDE_JOB, Programs};
use super::server::Server;
use super::workload::Stored;
use crate::failure::Failure;
use crate::process::workspace_root;

/// How many jobs are posted at once.
const BULK_JOBS: usize = 10_000;
/// So many jobs are remembered, to be read later.
const REMEMBERED: usize = 2_000;
/// Where the schema is written down; a folder that was made under another is of no use.
const MIGRATIONS: &str = "crates/backends/src/sqlite/migrations";

/// A folder that is ready to be copied.
pub(super) struct Stock {
    /// What its jobs are.
    pub(super) stored: Stored,
    data: PathBuf,
    /// The paths of some of its jobs, one a line.
    pub(super) paths: PathBuf,
}

impl Stock {
    /// Copies the data folder and waits until the copy is on disk, so that it does not disturb.
    pub(super) fn copy_to(&self, data: &Path) -> Result<(), Failure> {
        let copy = || -> std::io::Result<()> {
            fs::create_dir_all(data)?;
            for entry in fs::read_dir(&self.data)? {
                let entry = entry?;
                let to = data.join(entry.file_name());
                fs::copy(entry.path(), &to)?;
                File::options().write(true).open(&to)?.sync_all()?;
            }
            Ok(())
        };
        copy().map_err(Failure::of(format!("copy of {}", self.data.display())))
    }
}

/// Finds the folder of earlier, or makes it.
pub(super) fn provide(
    home: &Path,
    programs: &Programs,
    stored: Stored,
    jobs: usize,
) -> Result<Stock, Failure> {
    let folder = home.join(format!("stock{}-{jobs}-{}", stored.suffix(), schema()?));
    let stock = Stock { stored, data: folder.join("data"), paths: folder.join("paths") };
    if stock.paths.exists() {
        println!("found in {}", folder.display());
        return Ok(stock);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::of(folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(Failure::of(folder.display()))?;
    let start = clock::now();
    let server = Server::start(&programs.server, &stock.data)?;
    let paths = match stored {
        Stored::Blocked => block(&server, jobs)?,
        Stored::Nothing | Stored::Finished => fill(&server, jobs)?,
    };
    server.stop()?;
    println!("{jobs} jobs made in {:.0} s", clock::since(start));
    fs::write(&stock.paths, paths.join("\n")).map_err(Failure::of(stock.paths.display()))?;
    Ok(stock)
}

/// Has a server perform so many jobs; answers the paths of some.
pub(super) fn fill(server: &Server, jobs: usize) -> Result<Vec<String>, Failure> {
    let mut client = Client::connect(server.address)?;
    let blocked = client::backlog(&mut client)?;
    submit(&mut client, JOB, jobs, |client| drained(client, blocked).map(drop))
}

/// Puts so many jobs there for a worker outside.
pub(super) fn wait_outside(server: &Server, jobs: usize) -> Result<(), Failure> {
    let mut client = Client::connect(server.address)?;
    client.put(&format!("/flows/{OUTSIDE_FLOW}"), "{}")?;
    submit(&mut client, OUTSIDE_JOB, jobs, |_| Ok(())).map(drop)
}

/// Puts so many jobs of one key there, which wait for a worker outside to be done with another
/// one of that key; answers the paths of some.
fn block(server: &Server, jobs: usize) -> Result<Vec<String>, Failure> {
    let mut client = Client::connect(server.address)?;
    wait_outside(server, 0)?;
    client.post("/jobs", &format!(r#"{{"key":"blocked",{}"#, &OUTSIDE_JOB[1..]))?;
    let call = format!(r#"{{"worker":"bench","flows":["{OUTSIDE_FLOW}"],"lease":"24h"}}"#);
    client.post("/queues/default/lease", &call)?;
    let job = format!(r#"{{"key":"blocked",{}"#, &JOB[1..]);
    let paths = submit(&mut client, &job, jobs, |_| Ok(()))?;
    match client::backlog(&mut client)? {
        waiting if waiting == jobs as u64 + 1 => Ok(paths),
        waiting => Err(Failure::new(format!("of {jobs} blocked jobs and one, {waiting} wait"))),
    }
}

/// Posts a job so many times, and does something between; answers the paths of some.
fn submit(
    client: &mut Client,
    job: &str,
    jobs: usize,
    mut between: impl FnMut(&mut Client) -> Result<(), Failure>,
) -> Result<Vec<String>, Failure> {
    let every = (jobs / REMEMBERED).max(1);
    let mut paths = Vec::new();
    for at in (0..jobs).step_by(BULK_JOBS) {
        let body = format!("[{}]", vec![job; BULK_JOBS.min(jobs - at)].join(","));
        let answer = client.post("/jobs/bulk", &body)?;
        let items = answer.get("items").and_then(Value::as_array).into_iter().flatten();
        let ids = items.filter_map(|item| item.get("id")?.as_str());
        paths.extend(ids.step_by(every).map(|id| format!("/jobs/{id}")));
        between(client)?;
    }
    Ok(paths)
}

/// Waits until no more jobs are unfinished than so many; answers the seconds.
pub(super) fn drained(client: &mut Client, but: u64) -> Result<f64, Failure> {
    let start = clock::now();
    while client::backlog(client)? > but {
        clock::pass(0.02);
    }
    Ok(clock::since(start))
}

/// The schema's version and a fingerprint of its text.
fn schema() -> Result<String, Failure> {
    let folder = workspace_root().join(MIGRATIONS);
    let read = || -> std::io::Result<Vec<PathBuf>> {
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut files = read().map_err(Failure::of(MIGRATIONS))?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in &files {
        hasher.write(&fs::read(file).map_err(Failure::of(file.display()))?);
    }
    Ok(format!("v{}-{:08x}", files.len(), hasher.finish() >> 32))
}
