//! The table for people and the JSON for programs.

use serde_json::{Value, json};

use super::figures::Figures;
use super::machine::Machine;

/// Whether a target was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Met,
    Missed,
    /// There is no target, or nothing to compare with.
    Open,
}

impl Verdict {
    pub(super) fn of(met: bool) -> Self {
        if met { Self::Met } else { Self::Missed }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Open => "",
        }
    }
}

/// A workload in the table.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) measured: String,
    /// The same in a word.
    pub(super) short: String,
    /// What a filled store is compared by: the higher, the better.
    pub(super) speed: f64,
    pub(super) ceiling: String,
    pub(super) ratio: Option<f64>,
    pub(super) target: String,
    pub(super) verdict: Verdict,
    pub(super) figures: Figures,
}

impl Row {
    /// In one line, while the bench goes on.
    pub(super) fn line(&self) -> String {
        let [name, measured, ceiling, ratio, .., backlog, strangers] = self.cells();
        let cells = [ceiling, ratio, backlog, format!("others {strangers}")];
        let told = cells.into_iter().filter(|cell| !cell.is_empty());
        format!("{name}: {measured}; {}", told.collect::<Vec<_>>().join("; "))
    }

    fn cells(&self) -> [String; 9] {
        let get = |name| self.figures.get(name);
        let backlog = match (get("backlog"), get("drain_seconds")) {
            (0.0, _) => "0".to_owned(),
            (backlog, drain) if (backlog + drain).is_finite() => {
                format!("{backlog:.0}, drained in {drain:.1} s")
            }
            _ => String::new(),
        };
        let cpu = match get("server.cpu_us_each") {
            micros if micros.is_finite() => format!("{micros:.0} µs"),
            _ => String::new(),
        };
        [
            self.name.clone(),
            self.measured.clone(),
            self.ceiling.clone(),
            self.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            self.target.clone(),
            self.verdict.word().to_owned(),
            cpu,
            backlog,
            format!("{:.2}", get("strangers_cores")),
        ]
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "measured": self.measured,
            "ceiling": self.ceiling,
            "ratio": self.ratio,
            "target": self.target,
            "verdict": self.verdict.word(),
            "figures": self.figures.0,
        })
    }
}

/// A whole run.
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) seconds: f64,
    pub(super) ceilings: Figures,
    pub(super) rows: Vec<Row>,
}

const HEAD: [&str; 9] = [
    "workload",
    "measured",
    "ceiling",
    "ratio",
    "target",
    "",
    "server CPU",
    "backlog at the end",
    "others",
];

impl Report {
    /// The table, in Markdown, below the machine and its ceilings.
    pub(super) fn table(&self) -> String {
        let mut lines = vec![HEAD.map(str::to_owned)];
        lines.extend(self.rows.iter().map(Row::cells));
        let width = |column: usize| {
            lines.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0)
        };
        let widths: [usize; 9] = std::array::from_fn(width);
        let drawn = |cells: &[String; 9]| {
            let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule: [String; 9] = widths.map(|width| "-".repeat(width));
        let mut text = vec![self.head(), String::new(), drawn(&lines[0]), drawn(&rule)];
        text.extend(lines[1..].iter().map(drawn));
        text.join("\n")
    }

    fn head(&self) -> String {
        let Machine { cores, memory_gib, load_average } = self.machine;
        let get = |name| self.ceilings.get(name);
        format!(
            "{cores} cores, {memory_gib:.0} GiB, load average {load_average:.2} at the start, \
             {:.0} s a workload\n\
             fdatasync of 4 KiB: appended {:.0}/s, p50 {:.0} µs, p99 {:.0} µs; rewritten \
             {:.0}/s, p50 {:.0} µs, p99 {:.0} µs\n\
             jobs committed by one caller: one at a time {:.0}/s, a thousand at a time {:.0}/s",
            self.seconds,
            get("sync.append.rate"),
            get("sync.append.p50_us"),
            get("sync.append.p99_us"),
            get("sync.rewrite.rate"),
            get("sync.rewrite.p50_us"),
            get("sync.rewrite.p99_us"),
            get("commit.one"),
            get("commit.thousand"),
        )
    }

    pub(super) fn to_json(&self) -> String {
        let Machine { cores, memory_gib, load_average } = self.machine;
        let report = json!({
            "machine": {
                "cores": cores, "memory_gib": memory_gib, "load_average": load_average,
            },
            "seconds": self.seconds,
            "ceilings": self.ceilings.0,
            "workloads": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_workload_and_its_columns_are_even() {
        let row = |name: &str| Row {
            name: name.to_owned(),
            measured: "5/s".to_owned(),
            short: "5/s".to_owned(),
            speed: 5.0,
            ceiling: "bare 10/s".to_owned(),
            ratio: Some(0.5),
            target: "≥ 0.5".to_owned(),
            verdict: Verdict::Met,
            figures: Figures::default(),
        };
        let machine = Machine { cores: 2, memory_gib: 8.0, load_average: 0.1 };
        let rows = vec![row("a"), row("longer")];
        let report = Report { machine, seconds: 1.0, ceilings: Figures::default(), rows };
        let table = report.table();
        let lines: Vec<usize> =
            table.lines().filter(|it| it.starts_with('|')).map(|it| it.chars().count()).collect();
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|length| *length == lines[0]));
        assert!(report.to_json().contains("\"verdict\": \"met\""));
    }
}
