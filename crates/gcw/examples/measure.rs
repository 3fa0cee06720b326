//! Measures the interpreter: simple steps a second, parse and check, a wide `parallel for`.
//!
//! Run with `cargo run --release -p jobmill-gcw --example measure`.

use std::sync::Arc;
use std::time::Instant;

use jobmill_gcw::local::{self, QuietWorld, World};
use jobmill_gcw::{Limits, Machine, Workflow, check};
use jobmill_model::Value;
use jobmill_model::machine::{Begin, Effect, EffectNumber, Machine as _, Outcome};

const STEPS: &str = "
main:
  steps:
    - init:
        assign:
          - i: 0
          - even: 0
    - look:
        switch:
          - condition: ${i >= 333333}
            next: done
          - condition: ${i % 2 == 0}
            next: count
        next: count
    - count:
        assign:
          - i: ${i + 1}
          - even: ${even + 1}
    - again:
        next: look
    - done:
        return: ${even}
";

const WIDE: &str = "
main:
  steps:
    - init:
        assign:
          - total: 0
    - work:
        parallel:
          shared: [total]
          concurrency_limit: 20
          for:
            value: i
            range: [1, 10000]
            steps:
              - wait:
                  call: sys.sleep
                  args: {seconds: 1}
              - add:
                  assign:
                    - total: ${total + i}
    - done:
        return: ${total}
";

fn workflow(text: &str) -> Workflow {
    let program = check(text, &Limits::lifted()).program.expect("the definition is right");
    Workflow { program, env: Arc::default() }
}

/// Remembers how many effects were under way at most.
#[derive(Default)]
struct Watcher {
    quiet: QuietWorld,
    most: usize,
}

impl World for Watcher {
    fn perform(&mut self, number: EffectNumber, effect: &Effect) -> Outcome {
        self.quiet.perform(number, effect)
    }

    fn pick(&mut self, under_way: &[(EffectNumber, Effect)]) -> usize {
        self.most = self.most.max(under_way.len());
        0
    }
}

fn rss_kib() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("VmHWM: unknown").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn main() {
    println!("before: {}", rss_kib());
    let steps = workflow(STEPS);
    let started = Instant::now();
    let run = local::run(&steps, Value::Null, &mut QuietWorld::default()).expect("it runs");
    println!("1,000,000 simple steps: {:?} -> {:?}; {}", started.elapsed(), run.end, rss_kib());

    let wide = workflow(WIDE);
    let mut watcher = Watcher::default();
    let started = Instant::now();
    let run = local::run(&wide, Value::Null, &mut watcher).expect("it runs");
    println!(
        "parallel for over 10,000: {:?}, {} effects, at most {} under way -> {:?}; {}",
        started.elapsed(),
        run.effects.len(),
        watcher.most,
        run.end,
        rss_kib()
    );

    parked();
    checked();
}

/// Machines that all wait in a sleep.
fn parked() {
    let waiting = workflow(
        "main:\n  params: [args]\n  steps:\n    - wait:\n        call: sys.sleep\n        \
         args: {seconds: 3600}\n    - done:\n        return: ${args.n}\n",
    );
    let resident = || -> u64 {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0) * 4096
    };
    let before = resident();
    let machines: Vec<Machine> = (0..20_000)
        .map(|n| {
            let input = Value::map([("n", Value::from(n))]);
            let begin = Begin { input, params: Value::Null, seed: local::seed() };
            let mut machine = waiting.execution(begin);
            let number = machine.start().effects[0].0;
            machine.fold(number, Outcome::Clock(QuietWorld::default().now));
            machine
        })
        .collect();
    let each = resident().saturating_sub(before) / machines.len() as u64;
    println!("{} machines parked in a sleep: {each} bytes each", machines.len());
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn checked() {
    let mut big = String::from("main:\n  steps:\n    - init:\n        assign:\n          - x: 1\n");
    let mut at = 0;
    while big.len() < 128 * 1024 - 400 {
        at += 1;
        big.push_str(&format!(
            "    - step{at}:\n        switch:\n          - condition: \
             ${{x > {at} and \"a\" in [\"a\"]}}\n            next: step{at}\n    \
             - call{at}:\n        call: http.get\n        args:\n          \
             url: ${{\"http://h/\" + string(x + {at})}}\n        result: r{at}\n"
        ));
    }
    let limits = Limits::google();
    let mut best = std::time::Duration::MAX;
    for _ in 0..20 {
        let started = Instant::now();
        let outcome = check(&big, &limits);
        best = best.min(started.elapsed());
        assert!(outcome.program.is_some(), "{:?}", outcome.diagnostics.first());
    }
    println!("parse and check of {} bytes: {best:?}", big.len());
}
