//! `/metrics` of the real binary, read as strictly as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use jobmill::client::Request;

use crate::server::{Server, folder, items, text};

const DOCUMENT: &str = include_str!("../../../../docs/API.md");

/// The head and the body of the answer to a scrape.
fn scrape(server: &Server) -> (String, String) {
    let address = server.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

/// The numbers by name and labels, as they are written.
type Numbers = BTreeMap<String, f64>;

/// Reads the text format, version 0.0.4, and refuses everything that is not in it.
#[track_caller]
fn read(text: &str) -> Numbers {
    assert!(text.ends_with('\n'), "the last line ends");
    let (mut numbers, mut seen) = (Numbers::new(), BTreeSet::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let help = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("{line}"));
        let (name, help) = help.split_once(' ').unwrap();
        assert!(is_name(name) && !help.is_empty(), "{line}");
        assert!(DOCUMENT.contains(&format!("`{name}`")), "{name} is not in docs/API.md");
        assert!(seen.insert(name.to_owned()), "{name} comes once, with all its numbers");
        let kind = lines.next().and_then(|line| line.strip_prefix("# TYPE ")).unwrap();
        let kind = kind.strip_prefix(name).and_then(|rest| rest.strip_prefix(' ')).unwrap();
        assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(value >= 0.0 && value.is_finite(), "{line}");
            let (metric, labels) = series.split_once('{').map_or((series, None), |(name, rest)| {
                (name, Some(rest.strip_suffix('}').unwrap_or_else(|| panic!("{line}"))))
            });
            let suffixes: &[&str] =
                if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            let suffix = metric.strip_prefix(name).unwrap_or_else(|| panic!("{line}"));
            assert!(suffixes.contains(&suffix), "{line}");
            let labels = labels.map(read_labels).unwrap_or_default();
            assert_eq!(suffix == "_bucket", labels.contains("le"), "{line}");
            assert!(numbers.insert(series.to_owned(), value).is_none(), "{series} comes twice");
        }
    }
    check_histograms(&numbers);
    numbers
}

/// The names of labels; each value is quoted and escaped.
fn read_labels(text: &str) -> BTreeSet<String> {
    let (mut names, mut rest) = (BTreeSet::new(), text);
    while !rest.is_empty() {
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{text}"));
        assert!(is_name(name) && names.insert(name.to_owned()), "{text}");
        let mut escaped = false;
        let end = value.find(|sign| {
            let is_end = sign == '"' && !escaped;
            escaped = sign == '\\' && !escaped;
            is_end
        });
        rest = &value[end.unwrap_or_else(|| panic!("{text}")) + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    names
}

fn is_name(name: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
    !name.starts_with(|sign: char| sign.is_ascii_digit()) && name.chars().all(is_sign)
}

/// Buckets grow, and the last holds everything.
fn check_histograms(numbers: &Numbers) {
    let counts = numbers.iter().filter(|(series, _)| series.contains("_count"));
    for (series, count) in counts {
        let labels = series.split_once('{').map_or("", |(_, rest)| rest.trim_end_matches('}'));
        let name = series.split("_count").next().unwrap();
        let of_it =
            format!("{name}_bucket{{{labels}{}le=\"", if labels.is_empty() { "" } else { "," });
        let mut buckets: Vec<(f64, f64)> = numbers
            .iter()
            .filter_map(|(series, value)| {
                let bound = series.strip_prefix(&of_it)?.strip_suffix("\"}")?;
                Some((bound.parse().unwrap(), *value))
            })
            .collect();
        buckets.sort_by(|one, two| one.0.total_cmp(&two.0));
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{series}");
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{series}: {buckets:?}");
    }
}

/// Whatever Prometheus' own checker complains about.
fn promtool(text: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    let command = command.args(["check", "metrics"]).stdin(Stdio::piped());
    let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
        eprintln!("skipped in part: the program promtool is not on this machine");
        return None;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (!output.status.success()).then(|| String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn prometheus_reads_what_has_happened() {
    let folder = folder();
    let server = Server::start(folder.path(), &["--log", "warn"]);
    let declared = Request::put("/flows/mail").body("application/json", r#"{"max_attempts":1}"#);
    assert_eq!(server.ask(&declared).0, 201);
    for _ in 0..3 {
        let input = ["range_report", "--input", r#"{"start":1,"end":9}"#, "--wait"];
        server.run(&[&["jobs", "submit"], &input[..]].concat()).with(0);
    }
    let mail = r#"{"flow":"mail","queue":"a\"b\\c","input":1}"#;
    let mails = Request::post("/jobs/bulk").body("application/json", format!("[{mail},{mail}]"));
    let (_, answer) = server.ask(&mails);
    let call = r#"{"worker":"w","flows":["mail"]}"#;
    let call = Request::post("/queues/a%22b%5Cc/lease").body("application/json", call);
    server.ask(&call);
    server.ask(&Request::get("/jobs/no-such-job"));
    server.ask(&Request::get("/no/such/route"));

    let (head, body) = scrape(&server);
    assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
    let numbers = read(&body);
    let number = |series: &str| numbers.get(series).copied().unwrap_or_else(|| panic!("{body}"));
    assert_eq!(number("jobmill_jobs{state=\"completed\"}"), 3.0);
    assert_eq!(number("jobmill_jobs{state=\"running\"}"), 1.0);
    assert_eq!(number("jobmill_jobs_submitted_total{flow=\"mail\"}"), 2.0);
    assert_eq!(number("jobmill_queue_jobs_waiting{queue=\"a\\\"b\\\\c\"}"), 1.0);
    assert_eq!(number("jobmill_flow_jobs_waiting{flow=\"mail\"}"), 1.0);
    let attempts = "jobmill_attempts_total{flow=\"range_report\",outcome=\"completed\"}";
    assert_eq!(number(attempts), 3.0);
    assert_eq!(number("jobmill_attempt_seconds_count{flow=\"range_report\"}"), 3.0);
    assert_eq!(number("jobmill_queue_wait_seconds_count{queue=\"default\"}"), 3.0);
    assert_eq!(number("jobmill_leases"), 1.0);
    assert!(number("jobmill_store_commit_seconds_count") > 3.0);
    let unknown = "jobmill_http_requests_total{route=\"/jobs/{id}\",method=\"GET\",status=\"404\"}";
    assert_eq!(number(unknown), 1.0);
    let nowhere = "jobmill_http_requests_total{route=\"\",method=\"GET\",status=\"404\"}";
    assert_eq!(number(nowhere), 1.0);
    if cfg!(target_os = "linux") {
        assert!(number("process_resident_memory_bytes") > 1e6);
        assert!(number("process_open_fds") > 3.0);
        assert!(number("process_cpu_seconds_total") >= 0.0);
    }
    assert_eq!(promtool(&body), None);

    let id = text(&items(&answer)[0], "id");
    let failed = r#"{"token":1,"error":{"type":"Busy"}}"#;
    let failed = Request::post(format!("/jobs/{id}/fail")).body("application/json", failed);
    assert_eq!(server.ask(&failed).0, 200);
    let numbers = read(&scrape(&server).1);
    assert_eq!(numbers["jobmill_attempts_total{flow=\"mail\",outcome=\"failed\"}"], 1.0);
    assert_eq!(numbers["jobmill_leases"], 0.0);
}
