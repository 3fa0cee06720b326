//! What was wanted of a workload, and whether it was reached.

use super::figures::Figures;
use super::table::{Row, Verdict};
use super::workload::{Flow, Kind, Stored, Workload};

/// What the ceiling of submissions must be for their rate to have a target of its own.
const CEILING_OF_RATE: f64 = 60_000.0;
/// How much of its speed a store may lose to what is stored.
const FILLED_AT_LEAST: f64 = 0.8;

/// A workload's line in the table. One on a fuller store is compared with its twin among the rows
/// so far.
pub(super) fn row(workload: &Workload, figures: &Figures, rows: &[Row]) -> Row {
    let twin = Workload { stored: Stored::Nothing, ..*workload }.name();
    let row = alone(workload, figures);
    if workload.stored == Stored::Nothing || workload.kind == Kind::Idle {
        return row;
    }
    match rows.iter().find(|row| row.name == twin) {
        Some(twin) => beside(row, twin),
        None => Row { verdict: Verdict::Open, ..row },
    }
}

/// Compares with the same workload on an empty store.
fn beside(row: Row, twin: &Row) -> Row {
    let ratio = match row.speed / twin.speed {
        ratio if ratio.is_finite() => ratio,
        _ => return Row { verdict: Verdict::Open, ..row },
    };
    Row {
        ceiling: format!("empty {}", twin.short),
        ratio: Some(ratio),
        target: format!("≥ {FILLED_AT_LEAST} of empty"),
        verdict: Verdict::of(ratio >= FILLED_AT_LEAST),
        ..row
    }
}

fn alone(workload: &Workload, figures: &Figures) -> Row {
    let rate = figures.get("rate");
    let bare = figures.get("ceiling.rate");
    let (p50, p99) = (figures.get("p50_us") / 1e3, figures.get("p99_us") / 1e3);
    let row = Row {
        name: workload.name(),
        measured: format!("{rate:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms"),
        short: format!("{rate:.0}/s"),
        speed: rate,
        ceiling: format!("bare {bare:.0}/s"),
        ratio: Some(rate / bare),
        target: String::new(),
        verdict: Verdict::Open,
        figures: figures.clone(),
    };
    match workload.kind {
        Kind::Submit(64) => submitted(row, bare, p99),
        Kind::Submit(_) => row,
        Kind::Complete(_) => Row {
            target: "≥ 8,000 jobs/s".to_owned(),
            verdict: Verdict::of(rate >= 8_000.0),
            ..row
        },
        Kind::Read(_) => Row {
            target: "≥ 0.5 of bare".to_owned(),
            verdict: Verdict::of(rate / bare >= 0.5),
            ..row
        },
        Kind::Result => result(row, p50),
        Kind::Product => product(row),
        Kind::Lease(_) => Row {
            ceiling: String::new(),
            ratio: None,
            target: "≥ 5,000 jobs/s".to_owned(),
            verdict: Verdict::of(rate >= 5_000.0),
            ..row
        },
        Kind::Idle => idle(row),
        Kind::Workflow(flow) => workflow(row, flow),
    }
}

fn submitted(row: Row, bare: f64, p99: f64) -> Row {
    let fast = bare < CEILING_OF_RATE || row.speed >= 15_000.0;
    let met = row.speed / bare >= 0.25 && p99 <= 20.0 && fast;
    let target = "≥ 0.25 of bare (15,000/s where bare is 60,000/s), p99 ≤ 20 ms".to_owned();
    Row { target, verdict: Verdict::of(met), ..row }
}

/// Strangers make a sync look slow, and with it the target easy: the quicker median counts.
fn result(row: Row, p50: f64) -> Row {
    let sync = |when: &str| row.figures.get(&format!("{when}.sync.append.p50_us")) / 1e3;
    let sync = sync("ceiling_before").min(sync("ceiling_after"));
    let most = 2.5 * sync + 1.0;
    Row {
        short: format!("p50 {p50:.2} ms"),
        speed: 1.0 / p50,
        ceiling: format!("fdatasync p50 {sync:.2} ms"),
        ratio: Some(p50 / sync),
        target: format!("p50 ≤ {most:.2} ms (2.5 syncs + 1 ms)"),
        verdict: Verdict::of(p50 <= most),
        ..row
    }
}

fn product(row: Row) -> Row {
    let figures = &row.figures;
    let (seconds, peak) = (figures.get("seconds"), figures.get("server.peak_mib"));
    let (perform, page) = (figures.get("perform_seconds"), figures.get("page_seconds"));
    let perform = perform + figures.get("submit_seconds");
    Row {
        measured: format!(
            "{seconds:.2} s (perform {perform:.2}, page {page:.2}), peak {peak:.0} MiB"
        ),
        short: format!("{seconds:.2} s"),
        speed: 1.0 / seconds,
        ceiling: String::new(),
        ratio: None,
        target: "≤ 6 s for 4 million, peak ≤ 300 MB".to_owned(),
        verdict: Verdict::of(seconds <= 6.0 && peak * 1.048_576 <= 300.0),
        ..row
    }
}

fn idle(row: Row) -> Row {
    let (percent, memory) =
        (row.figures.get("server.cpu_percent"), row.figures.get("server.memory_mib"));
    Row {
        measured: format!("{percent:.2} % CPU, {memory:.0} MiB"),
        short: String::new(),
        speed: f64::NAN,
        ceiling: String::new(),
        ratio: None,
        target: "0.0 % CPU, ≤ 40 MB".to_owned(),
        verdict: Verdict::of(percent < 0.05 && memory * 1.048_576 <= 40.0),
        ..row
    }
}

fn workflow(row: Row, flow: Flow) -> Row {
    let get = |name: &str| row.figures.get(name);
    let (seconds, rate) = (get("seconds"), get("rate"));
    let grown = get("server.peak_mib") - get("memory_before_mib");
    let sync = |when: &str| get(&format!("{when}.sync.append.p50_us")) / 1e3;
    let sync = sync("ceiling_before").min(sync("ceiling_after"));
    let each = get("p50_us") / 1e4;
    let (measured, target, met) = match flow {
        Flow::Steps => (
            format!("{seconds:.2} s, {grown:.0} MiB more"),
            "≤ 1.5 s for a million steps".to_owned(),
            seconds <= 1.5 && grown <= 16.0,
        ),
        Flow::Calls(1) => (
            format!("{rate:.0}/s, {each:.2} ms a call"),
            format!("≤ {:.2} ms a call (2 syncs + 1 ms)", 2.0 * sync + 1.0),
            each <= 2.0 * sync + 1.0,
        ),
        Flow::Calls(_) => {
            (format!("{rate:.0} executions/s"), "≥ 300 executions/s".to_owned(), rate >= 300.0)
        }
        Flow::Fan => (
            format!("{seconds:.2} s, {grown:.0} MiB more"),
            "≤ 64 MiB more".to_owned(),
            grown <= 64.0,
        ),
        Flow::Parked => {
            let (memory, restart) = (get("parked_mib"), get("restart_seconds"));
            let cpu = get("server.cpu_percent");
            let text = format!(
                "{memory:.0} MiB, {cpu:.1} % CPU, restart {restart:.1} s, all done after \
                 {seconds:.1} s"
            );
            let met = memory * 1.048_576 <= 200.0 && restart <= 5.0 && seconds <= 60.0;
            (text, "≤ 200 MB, no CPU, restart ≤ 5 s, done ≤ 60 s".to_owned(), met && cpu < 1.0)
        }
        Flow::Check => (
            format!("{:.1} ms with the program's start", seconds * 1e3),
            "≤ 20 ms for 128 KB".to_owned(),
            seconds <= 0.02,
        ),
    };
    let is_single = flow == Flow::Calls(1);
    Row {
        measured,
        target,
        verdict: Verdict::of(met),
        ceiling: if is_single { format!("fdatasync p50 {sync:.2} ms") } else { String::new() },
        ratio: is_single.then(|| each / sync),
        ..row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row_of(kind: Kind, stored: Stored, line: &str, rows: &[Row]) -> Row {
        row(&Workload { kind, stored }, &Figures::read(line).unwrap(), rows)
    }

    #[test]
    fn submissions_need_ratio_latency_and_rate() {
        let verdict = |line| row_of(Kind::Submit(64), Stored::Nothing, line, &[]).verdict;
        let met = r#"{"rate":13000,"p99_us":19000,"ceiling":{"rate":50000}}"#;
        assert_eq!(verdict(met), Verdict::Met);
        let late = r#"{"rate":13000,"p99_us":21000,"ceiling":{"rate":50000}}"#;
        assert_eq!(verdict(late), Verdict::Missed);
        let slow = r#"{"rate":14900,"p99_us":1000,"ceiling":{"rate":60000}}"#;
        assert_eq!(verdict(slow), Verdict::Missed);
        assert_eq!(verdict("{}"), Verdict::Missed);
    }

    #[test]
    fn a_filled_store_is_compared_with_the_empty_one() {
        let empty =
            row_of(Kind::Read(64), Stored::Nothing, r#"{"rate":100,"ceiling":{"rate":150}}"#, &[]);
        assert_eq!(empty.verdict, Verdict::Met);
        let rows = [empty];
        let near = row_of(Kind::Read(64), Stored::Finished, r#"{"rate":81}"#, &rows);
        assert_eq!((near.verdict, near.ratio), (Verdict::Met, Some(0.81)));
        assert_eq!(
            row_of(Kind::Read(64), Stored::Finished, r#"{"rate":79}"#, &rows).verdict,
            Verdict::Missed
        );
        assert_eq!(
            row_of(Kind::Read(64), Stored::Finished, r#"{"rate":79}"#, &[]).verdict,
            Verdict::Open
        );
    }

    #[test]
    fn the_quicker_sync_sets_the_target_of_a_result() {
        let verdict = |p50: u32| {
            let line = format!(
                r#"{{"p50_us":{p50},"ceiling_before":{{"sync":{{"append":{{"p50_us":200}}}}}},
                "ceiling_after":{{"sync":{{"append":{{"p50_us":4000}}}}}}}}"#
            );
            row_of(Kind::Result, Stored::Nothing, &line, &[]).verdict
        };
        assert_eq!(verdict(1_500), Verdict::Met);
        assert_eq!(verdict(1_600), Verdict::Missed);
    }

    #[test]
    fn time_and_memory_both_count() {
        let verdict = |kind, line| row_of(kind, Stored::Nothing, line, &[]).verdict;
        let product = r#"{"seconds":5,"server":{"peak_mib":280}}"#;
        assert_eq!(verdict(Kind::Product, product), Verdict::Met);
        let large = r#"{"seconds":5,"server":{"peak_mib":290}}"#;
        assert_eq!(verdict(Kind::Product, large), Verdict::Missed);
        let idle = r#"{"server":{"cpu_percent":0.03,"memory_mib":30}}"#;
        assert_eq!(verdict(Kind::Idle, idle), Verdict::Met);
    }
}
