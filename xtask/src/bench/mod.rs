//! `cargo xtask bench`: how fast the server is, beside what bounds it.
//!
//! Each workload runs against a server that was just started in a folder of its own. What bounds
//! it (the same requests to a server that does nothing, the disk's syncs) is measured just before
//! and just after, on the same cores, by the same load generator. So a figure is a ratio, and a
//! machine that others use as well shifts both sides of it.

mod client;
mod clock;
mod figures;
mod filled;
mod judge;
mod machine;
mod measure;
mod programs;
mod server;
mod table;
mod workflows;
mod workload;

use std::fs;
use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use crate::process::{self, workspace_root};
use crate::step::step;
use measure::Bench;
use workload::{Stored, Workload};

#[derive(Args)]
pub(crate) struct BenchOptions {
    /// How long each workload runs.
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    seconds: f64,
    /// Only these workloads, by their names in the table; the default is all of them.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Two seconds each, a smaller product and fewer stored jobs: to see that it works.
    #[arg(long)]
    quick: bool,
}

/// How much of everything.
struct Scale {
    seconds: f64,
    idle_seconds: f64,
    product_keys: usize,
    filled_jobs: usize,
    /// Jobs for the worker outside; its time ends when there is none left.
    outside_jobs: usize,
    /// Executions that sleep, and how long after the first of them is submitted.
    parked: usize,
    parked_seconds: f64,
}

impl Scale {
    fn of(options: &BenchOptions) -> Self {
        let seconds = if options.quick { 2.0 } else { options.seconds };
        if options.quick {
            Self {
                seconds,
                idle_seconds: 5.0,
                product_keys: 1_000,
                filled_jobs: 20_000,
                outside_jobs: 20_000,
                parked: 2_000,
                parked_seconds: 15.0,
            }
        } else {
            Self {
                seconds,
                idle_seconds: 60.0,
                product_keys: 4_000,
                filled_jobs: 1_000_000,
                outside_jobs: 300_000,
                parked: 100_000,
                parked_seconds: 120.0,
            }
        }
    }
}

pub(crate) fn run(options: &BenchOptions) -> Result<(), Failure> {
    let chosen = workload::chosen(&options.only)?;
    let scale = Scale::of(options);
    let programs = step("build", programs::build)?;
    let home = workspace_root().join("target/bench");
    let scratch = home.join("scratch");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(Failure::of(scratch.display()))?;
    }
    fs::create_dir_all(&scratch).map_err(Failure::of(scratch.display()))?;
    let mut stocks = Vec::new();
    for stored in [Stored::Finished, Stored::Blocked] {
        if chosen.iter().any(|workload| workload.stored == stored) {
            let fill = || filled::provide(&home, &programs, stored, scale.filled_jobs);
            stocks.push(step(&format!("jobs stored for {}", stored.suffix()), fill)?);
        }
    }
    let bench = Bench { programs, scratch, stocks, scale };
    let report = measure_all(&bench, &chosen)?;
    fs::remove_dir_all(&bench.scratch).map_err(Failure::of(bench.scratch.display()))?;
    println!("\n{}", report.table());
    let path = write(&home, &report.to_json())?;
    println!("\nwritten to {}", path.display());
    Ok(())
}

fn measure_all(bench: &Bench, chosen: &[Workload]) -> Result<table::Report, Failure> {
    let machine = machine::Machine::read();
    let ceilings = step("ceilings", || bench.ceilings())?;
    let mut rows = Vec::new();
    for workload in chosen {
        let row = step(&workload.name(), || {
            let row = judge::row(workload, &bench.measure(workload)?, &rows);
            println!("{}", row.line());
            Ok(row)
        })?;
        rows.push(row);
    }
    Ok(table::Report { machine, seconds: bench.scale.seconds, ceilings, rows })
}

fn write(home: &std::path::Path, json: &str) -> Result<PathBuf, Failure> {
    let time = process::read(&["date", "-u", "+%Y%m%dT%H%M%SZ"])?;
    let path = home.join(format!("{}.json", time.trim()));
    for path in [&path, &home.join("latest.json")] {
        fs::write(path, json).map_err(Failure::of(path.display()))?;
    }
    Ok(path)
}
