//! What the system knows of this process, where it tells: memory, processor time, open files.

use std::fs;

use jobmill_model::metric::{Family, Kind};

/// Clock ticks a second, as Linux shows them to programs on every architecture in use.
const TICKS: f64 = 100.0;

/// The usual metrics of a process; none where the system does not tell.
pub(super) fn metrics() -> Vec<Family> {
    let mut families = Vec::new();
    let mut put = |kind, name, help, value: Option<f64>| {
        if let Some(value) = value {
            let mut family = Family::new(kind, name, help);
            family.put([], value);
            families.push(family);
        }
    };
    let cpu = "Processor time of this process, in seconds.";
    put(Kind::Counter, "process_cpu_seconds_total", cpu, cpu_seconds());
    let memory = "Memory of this process that is in use, in bytes.";
    put(Kind::Gauge, "process_resident_memory_bytes", memory, resident_bytes());
    let files = "Files and connections that this process has open.";
    put(Kind::Gauge, "process_open_fds", files, open_files());
    families
}

fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in brackets, may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(|field| field.parse::<f64>().ok());
    Some((ticks.next()?? + ticks.next()??) / TICKS)
}

fn resident_bytes() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024.0)
}

#[expect(clippy::cast_precision_loss, reason = "a process has few files")]
fn open_files() -> Option<f64> {
    // The folder itself is open while it is read.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}
