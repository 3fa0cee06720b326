//! Simulates many seeds, or shows one: `simulate --seeds 10000 --first 1`,
//! `simulate --seed 42 --verbose`.

#[path = "../tests/simulation/mod.rs"]
mod simulation;

use std::process::ExitCode;

use simulation::{Flaw, run};

struct Wish {
    first: u64,
    seeds: u64,
    verbose: bool,
    flaw: Option<Flaw>,
}

fn wish(arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut wish = Wish { first: 1, seeds: 1_000, verbose: false, flaw: None };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or_else(|| format!("{argument} needs a number"))?;
            text.parse::<u64>().map_err(|error| format!("{argument} {text}: {error}"))
        };
        match argument.as_str() {
            "--first" => wish.first = number()?,
            "--seeds" => wish.seeds = number()?,
            "--seed" => (wish.first, wish.seeds) = (number()?, 1),
            "--verbose" => wish.verbose = true,
            "--flaw" => wish.flaw = Flaw::ALL.get(number()? as usize).copied(),
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    Ok(wish)
}

#[expect(clippy::disallowed_methods, reason = "the rate is measured in real time")]
fn main() -> ExitCode {
    let wish = match wish(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(error) => {
            eprintln!(
                "{error}\nsimulate [--seeds N] [--first N] [--seed N] [--verbose] [--flaw N]"
            );
            return ExitCode::from(2);
        }
    };
    let began = std::time::Instant::now();
    let (mut events, mut crashes, mut broken) = (0, 0, 0_u64);
    let mut least = usize::MAX;
    for seed in wish.first..wish.first + wish.seeds {
        let report = run(seed, wish.flaw, wish.verbose);
        report.lines.iter().for_each(|line| println!("{line}"));
        if let Some(violation) = report.violation {
            println!("seed {seed}: {violation}");
            broken += 1;
        }
        events += report.events;
        crashes += report.crashes;
        least = least.min(report.events);
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = wish.seeds as f64 / seconds * 60.0;
    println!(
        "seeds {} to {}: {broken} broken; {events} events (at least {least} a seed), {crashes} \
         crashes, {seconds:.1} s, {rate:.0} seeds a minute",
        wish.first,
        wish.first + wish.seeds - 1,
    );
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
