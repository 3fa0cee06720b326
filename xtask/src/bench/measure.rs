//! Runs one workload, with what bounds it before and after.

use std::path::{Path, PathBuf};

use super::Scale;
use super::client::{self, Client};
use super::clock;
use super::figures::Figures;
use super::filled::{self, Stock};
use super::machine::{self, Cpu};
use super::programs::{JOB, Programs};
use super::server::Server;
use super::workflows;
use super::workload::{Flow, Kind, Stored, Workload};
use crate::failure::Failure;

/// How many jobs there are to read in a store that is otherwise empty.
const READ_JOBS: usize = 10_000;
/// How long a server is left alone before it is watched doing nothing.
const SETTLE_SECONDS: f64 = 3.0;

/// What every measurement needs.
pub(super) struct Bench {
    pub(super) programs: Programs,
    pub(super) scratch: PathBuf,
    pub(super) stocks: Vec<Stock>,
    pub(super) scale: Scale,
}

impl Bench {
    /// What the machine can do at all, once at the beginning.
    pub(super) fn ceilings(&self) -> Result<Figures, Failure> {
        let seconds = self.scale.seconds / 3.0;
        let mut figures = Figures::default();
        figures.put_all("sync", &self.programs.syncs(&self.scratch, seconds)?);
        figures.put_all("commit", &self.programs.commits(&self.scratch, seconds)?);
        Ok(figures)
    }

    /// Runs the workload on a fresh server; what bounds it stands under `ceiling`.
    pub(super) fn measure(&self, workload: &Workload) -> Result<Figures, Failure> {
        let data = self.scratch.join(workload.name()).join("data");
        std::fs::create_dir_all(data.parent().unwrap_or(&data))
            .map_err(Failure::of(data.display()))?;
        if let Some(stock) = self.stock(workload.stored) {
            stock.copy_to(&data)?;
        }
        let before = self.ceiling(workload)?;
        let mut figures = match workload.kind {
            Kind::Workflow(flow) => workflows::measure(self, flow, &data)?,
            _ => {
                let server = Server::start(&self.programs.server, &data)?;
                let figures = self.watched(workload, &server)?;
                server.stop()?;
                figures
            }
        };
        if data.exists() {
            std::fs::remove_dir_all(&data).map_err(Failure::of(data.display()))?;
        }
        let after = self.ceiling(workload)?;
        figures.put_all("ceiling", &before.between(&after));
        figures.put_all("ceiling_before", &before);
        figures.put_all("ceiling_after", &after);
        Ok(figures)
    }

    /// The data folder that a workload begins with.
    fn stock(&self, stored: Stored) -> Option<&Stock> {
        self.stocks.iter().find(|stock| stock.stored == stored)
    }

    /// What bounds a workload, as of now.
    fn ceiling(&self, workload: &Workload) -> Result<Figures, Failure> {
        let seconds = (self.scale.seconds / 6.0).max(1.0);
        match workload.kind {
            Kind::Submit(_) | Kind::Complete(_) | Kind::Read(_) => {
                let paths = self.scratch.join("bare_paths");
                std::fs::write(&paths, "/jobs/1").map_err(Failure::of(paths.display()))?;
                let bare = Server::start_bare(&self.programs.bare)?;
                self.load(workload.kind, &bare, &paths, seconds)
            }
            Kind::Result | Kind::Workflow(Flow::Calls(_)) => {
                let mut figures = Figures::default();
                figures.put_all("sync", &self.programs.syncs(&self.scratch, seconds)?);
                Ok(figures)
            }
            Kind::Product | Kind::Lease(_) | Kind::Idle | Kind::Workflow(_) => {
                Ok(Figures::default())
            }
        }
    }

    /// The work, and what the server needed for it.
    fn watched(&self, workload: &Workload, server: &Server) -> Result<Figures, Failure> {
        let blocked = client::backlog(&mut Client::connect(server.address)?)?;
        let paths = self.paths(workload, server)?;
        match workload.kind {
            Kind::Idle => {
                filled::fill(server, 1)?;
                clock::pass(SETTLE_SECONDS);
            }
            Kind::Lease(_) => filled::wait_outside(server, self.scale.outside_jobs)?,
            _ => {}
        }
        let (start, cpu) = (clock::now(), Cpu::read(server.pid()));
        let mut figures = match workload.kind {
            Kind::Product => self.product(server)?,
            Kind::Lease(batch) => {
                let address = server.address.to_string();
                self.programs.lease(&address, batch, self.scale.seconds)?
            }
            Kind::Idle => {
                clock::pass(self.scale.idle_seconds);
                Figures::default()
            }
            kind => self.load(kind, server, &paths, self.scale.seconds)?,
        };
        figures.0.extend(cpu.since(clock::since(start)).0);
        let each = figures.get("server.cpu_seconds") * 1e6 / figures.get("accepted");
        figures.put("server.cpu_us_each", each);
        let mut client = Client::connect(server.address)?;
        let backlog = client::backlog(&mut client)?.saturating_sub(blocked);
        figures.put("backlog", backlog as f64);
        // Nobody is left who performs what a worker outside has left.
        if !matches!(workload.kind, Kind::Lease(_)) {
            figures.put("drain_seconds", filled::drained(&mut client, blocked)?);
        }
        figures.0.extend(machine::memory(server.pid()).0);
        Ok(figures)
    }

    /// A file of paths of jobs that can be read.
    fn paths(&self, workload: &Workload, server: &Server) -> Result<PathBuf, Failure> {
        if let Some(stock) = self.stock(workload.stored) {
            return Ok(stock.paths.clone());
        }
        let file = self.scratch.join("paths");
        if matches!(workload.kind, Kind::Read(_)) {
            let paths = filled::fill(server, READ_JOBS)?;
            std::fs::write(&file, paths.join("\n")).map_err(Failure::of(file.display()))?;
        }
        Ok(file)
    }

    fn product(&self, server: &Server) -> Result<Figures, Failure> {
        let keys = self.scale.product_keys;
        let figures = self.programs.product(&server.address.to_string(), keys)?;
        let (wanted, got) = ((keys / 2).pow(2) as f64, figures.get("entries"));
        if (wanted - got).abs() < 0.5 {
            return Ok(figures);
        }
        Err(Failure::new(format!("{wanted} entries expected, {got} came back")))
    }

    fn load(
        &self,
        kind: Kind,
        server: &Server,
        paths: &Path,
        seconds: f64,
    ) -> Result<Figures, Failure> {
        let (address, paths) = (server.address.to_string(), paths.display().to_string());
        let (ask, connections): (&[&str], usize) = match kind {
            Kind::Submit(connections) => (&["post", "/jobs", JOB], connections),
            Kind::Read(connections) => (&["get", &paths], connections),
            Kind::Complete(connections) => (&["perform", JOB], connections),
            Kind::Result | Kind::Product | Kind::Lease(_) | Kind::Idle | Kind::Workflow(_) => {
                (&["perform", JOB], 1)
            }
        };
        let figures = self.programs.load(&address, ask, connections, seconds)?;
        if figures.get("refused") + figures.get("broken") > 0.0 {
            println!("not every answer was a success: {figures:?}");
        }
        Ok(figures)
    }
}
