//! Workloads of workflows: steps without calls, calls, executions that sleep, branches, checks.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::client::Client;
use super::clock;
use super::figures::Figures;
use super::filled;
use super::machine::{self, Cpu};
use super::measure::Bench;
use super::server::Server;
use super::workload::Flow;
use crate::failure::Failure;

/// Three steps, a third of a million times.
const STEPS: &str = "main:
  steps:
    - init: {assign: [{x: 0}]}
    - loop:
        for:
          value: n
          range: [1, 333333]
          steps:
            - add: {assign: [{x: '${x + n}'}]}
            - look: {switch: [{condition: '${x < 0}', next: never}]}
            - again: {next: continue}
            - never: {raise: never}
    - done: {return: '${x}'}
";
/// What they come to.
const SUM: u64 = 333_333 * 333_334 / 2;
/// Ten calls, one after the other.
const CALLS: &str = "main:
  params: [args]
  steps:
    - each:
        for:
          value: n
          range: [1, 10]
          steps:
            - get: {call: http.get, args: {url: '${args.url}'}}
";
/// Sleeps until an instant.
const SLEEPS: &str = "main:
  params: [args]
  steps:
    - nap: {call: sys.sleep, args: {seconds: '${args.until - sys.now()}'}}
";
/// Ten thousand calls, fifty at once.
const FAN: &str = "main:
  params: [args]
  steps:
    - each:
        parallel:
          concurrency_limit: 50
          for:
            value: n
            range: [1, 10000]
            steps:
              - get: {call: http.get, args: {url: '${args.url}'}}
";
/// Executions that are submitted at once.
const BULK: usize = 10_000;
/// The size of the definition that is checked.
const SOURCE_BYTES: usize = 128 * 1024;

/// Runs one on a server that was just started on this folder.
pub(super) fn measure(bench: &Bench, flow: Flow, data: &Path) -> Result<Figures, Failure> {
    let mut figures = match flow {
        Flow::Check => return check(bench),
        Flow::Parked => return parked(bench, data),
        Flow::Steps | Flow::Calls(_) | Flow::Fan => Figures::default(),
    };
    let server = Server::start(&bench.programs.server, data)?;
    let bare = Server::start_bare(&bench.programs.bare)?;
    let mut client = Client::connect(server.address)?;
    let input = json!({ "url": format!("http://{}/jobs/1", bare.address) });
    let (start, cpu) = (clock::now(), Cpu::read(server.pid()));
    match flow {
        Flow::Calls(connections) => {
            deploy(&mut client, CALLS)?;
            let body = json!({ "flow": "workflow:bench", "input": input }).to_string();
            let ask = ["perform", body.as_str()];
            let address = server.address.to_string();
            let seconds = bench.scale.seconds;
            figures.0.extend(bench.programs.load(&address, &ask, connections, seconds)?.0);
        }
        _ => {
            deploy(&mut client, if flow == Flow::Steps { STEPS } else { FAN })?;
            let before = machine::memory(server.pid()).get("server.memory_mib");
            let begun = clock::now();
            let result = perform(&mut client, &input)?;
            figures.put("seconds", clock::since(begun));
            if flow == Flow::Steps && result != json!(SUM) {
                return Err(Failure::new(format!("{SUM} expected, {result} came back")));
            }
            figures.put("memory_before_mib", before);
        }
    }
    figures.0.extend(cpu.since(clock::since(start)).0);
    figures.0.extend(machine::memory(server.pid()).0);
    server.stop()?;
    Ok(figures)
}

fn deploy(client: &mut Client, source: &str) -> Result<(), Failure> {
    let body = json!({ "source": source }).to_string();
    client.put("/workflows/bench", &body).map(drop)
}

/// Runs one execution to its end, and answers its result.
fn perform(client: &mut Client, input: &Value) -> Result<Value, Failure> {
    let body = json!({ "argument": input }).to_string();
    let begun = client.post("/workflows/bench/executions", &body)?;
    let id = begun.get("id").and_then(Value::as_str).unwrap_or_default();
    loop {
        let ended = client.get(&format!("/jobs/{id}/results?wait=60s"))?;
        match ended.get("status").and_then(Value::as_str) {
            Some("completed") => return Ok(ended["result"].clone()),
            Some("running" | "submitted") => {}
            _ => return Err(Failure::new(format!("the execution ended as {ended}"))),
        }
    }
}

/// Many executions asleep until one instant: what they take, a restart, and how long until all
/// have ended.
fn parked(bench: &Bench, data: &Path) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    let server = Server::start(&bench.programs.server, data)?;
    let mut client = Client::connect(server.address)?;
    deploy(&mut client, SLEEPS)?;
    let before = machine::memory(server.pid()).get("server.memory_mib");
    let (start, until) = (clock::now(), clock::epoch() + bench.scale.parked_seconds);
    let one = json!({ "flow": "workflow:bench", "input": { "until": until } }).to_string();
    for at in (0..bench.scale.parked).step_by(BULK) {
        let many = BULK.min(bench.scale.parked - at);
        client.post("/jobs/bulk", &format!("[{}]", vec![one.as_str(); many].join(",")))?;
    }
    while count(&mut client, "submitted")? > 0 {
        clock::pass(0.05);
    }
    figures.put("park_seconds", clock::since(start));
    // The last of them are on their way to their rest.
    clock::pass(2.0);
    let cpu = Cpu::read(server.pid());
    clock::pass(2.0);
    figures.0.extend(cpu.since(2.0).0);
    let memory = machine::memory(server.pid()).get("server.memory_mib");
    figures.put("parked_mib", memory - before);
    server.stop()?;
    let start = clock::now();
    let server = Server::start(&bench.programs.server, data)?;
    figures.put("restart_seconds", clock::since(start));
    figures.put("left_seconds", until - clock::epoch());
    clock::pass((until - clock::epoch()).max(0.0));
    // The server has hung up on a connection that was idle for so long.
    let mut client = Client::connect(server.address)?;
    filled::drained(&mut client, 0)?;
    figures.put("seconds", clock::epoch() - until);
    figures.put("completed", count(&mut client, "completed")? as f64);
    figures.0.extend(machine::memory(server.pid()).0);
    server.stop()?;
    Ok(figures)
}

fn count(client: &mut Client, state: &str) -> Result<u64, Failure> {
    Ok(client.get("/jobs/counts")?.get(state).and_then(Value::as_u64).unwrap_or(0))
}

/// The quickest of some checks of a large definition, with the start of the program.
fn check(bench: &Bench) -> Result<Figures, Failure> {
    let file = bench.scratch.join("large.yaml");
    let mut source = "main:\n  params: [args]\n  steps:\n".to_owned();
    for step in 0.. {
        // Writing to a string does not fail.
        let _ = write!(
            source,
            "    - step_{step}:\n        assign:\n          - x: ${{args.a + {step} * 2}}\n    \
             - look_{step}:\n        switch:\n          - condition: ${{x > {step} and \
             \"k\" in args}}\n            next: step_{step}\n"
        );
        if source.len() > SOURCE_BYTES {
            break;
        }
    }
    std::fs::write(&file, source).map_err(Failure::of(file.display()))?;
    let mut figures = Figures::default();
    let times: Result<Vec<f64>, Failure> = (0..7).map(|_| timed(bench, &file)).collect();
    figures.put("seconds", times?.into_iter().fold(f64::MAX, f64::min));
    Ok(figures)
}

fn timed(bench: &Bench, file: &Path) -> Result<f64, Failure> {
    let mut command = Command::new(&bench.programs.server);
    command.args(["workflows", "check"]).arg(file).stdout(Stdio::null()).stderr(Stdio::null());
    let start = clock::now();
    let status = command.status().map_err(Failure::of("workflows check"))?;
    let seconds = clock::since(start);
    if status.success() { Ok(seconds) } else { Err(Failure::new("the definition has errors")) }
}
