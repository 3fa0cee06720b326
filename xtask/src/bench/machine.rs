//! What the system tells about itself and about a process.

use std::fs;

use super::figures::Figures;

/// Ticks of processor time in a second, as Linux counts them for programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// The machine in general words.
pub(super) struct Machine {
    pub(super) cores: usize,
    pub(super) memory_gib: f64,
    pub(super) load_average: f64,
}

impl Machine {
    pub(super) fn read() -> Self {
        let first = |path: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            text.split_whitespace().find_map(|word| word.parse::<f64>().ok()).unwrap_or(f64::NAN)
        };
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: first("/proc/meminfo") / 1024.0 / 1024.0,
            load_average: first("/proc/loadavg"),
        }
    }
}

/// Processor time up to a moment, in seconds.
pub(super) struct Cpu {
    pid: u32,
    server: f64,
    ours: f64,
    all: f64,
}

impl Cpu {
    /// As it stands: of a server, of this process and its ended children, of everybody.
    pub(super) fn read(pid: u32) -> Self {
        let server = process_seconds(&pid.to_string(), &[14, 15]);
        let ours = process_seconds("self", &[14, 15, 16, 17]);
        Self { pid, server, ours, all: busy_seconds() }
    }

    /// What was used since then: by the server, and by strangers (whoever is neither the server
    /// nor the bench) in cores.
    pub(super) fn since(&self, seconds: f64) -> Figures {
        let now = Self::read(self.pid);
        let (server, ours) = (now.server - self.server, now.ours - self.ours);
        let strangers = (now.all - self.all - server - ours).max(0.0) / seconds;
        let mut figures = Figures::default();
        figures.put("server.cpu_seconds", server);
        figures.put("server.cpu_percent", 100.0 * server / seconds);
        figures.put("strangers_cores", strangers);
        figures
    }
}

/// The sum of some columns of `/proc/PID/stat`, counted from 1 as its manual does.
fn process_seconds(pid: &str, columns: &[usize]) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The second column is a name that may contain anything; behind it comes the third.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let words: Vec<f64> = rest.split_whitespace().map(|it| it.parse().unwrap_or(0.0)).collect();
    columns.iter().filter_map(|column| words.get(column - 3)).sum::<f64>() / TICKS_PER_SECOND
}

/// What all processors did for programs so far, and what the host took away. Interrupts are
/// left out: those of the network are ours as well.
fn busy_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let words = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = words.map(|word| word.parse().unwrap_or(0.0)).collect();
    let busy = [0, 1, 2, 7].iter().filter_map(|column| ticks.get(*column));
    busy.sum::<f64>() / TICKS_PER_SECOND
}

/// A process's memory in MiB: now, and at most so far.
pub(super) fn memory(pid: u32) -> Figures {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mut figures = Figures::default();
    for (line, name) in [("VmRSS:", "server.memory_mib"), ("VmHWM:", "server.peak_mib")] {
        let text = status.lines().find_map(|it| it.strip_prefix(line)).unwrap_or_default();
        let kib = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        figures.put(name, kib.unwrap_or(f64::NAN) / 1024.0);
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_a_processor() {
        let before = Cpu::read(std::process::id());
        assert!(memory(std::process::id()).get("server.peak_mib") > 0.0);
        assert!(before.since(1.0).get("server.cpu_seconds") >= 0.0);
        assert!(before.all > 0.0);
    }
}
