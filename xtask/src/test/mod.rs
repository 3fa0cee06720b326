//! `cargo xtask test`: everything a change has to pass, in one order.
//!
//! Every cargo command selects the same packages with the same features (`--workspace
//! --all-features`): another selection resolves other features for shared dependencies, and
//! cargo then builds them again.

mod packages;
mod programs;
mod tally;

use clap::Args;

use crate::failure::Failure;
use crate::process::{self, Captured};
use crate::step::step;
use crate::tidy;
use tally::Tally;

const SELECTION: [&str; 3] = ["--workspace", "--all-features", "--locked"];

#[derive(Args)]
pub(crate) struct TestOptions {
    /// Only format, house laws and unit tests: no clippy, no integration tests, no doc tests.
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(options: &TestOptions) -> Result<(), Failure> {
    step("format", || process::run(&["cargo", "fmt", "--all", "--check"]))?;
    if !options.quick {
        step("clippy", clippy)?;
    }
    step("house laws", tidy::run)?;
    if !options.quick {
        step("dependencies", dependencies)?;
        step("external programs", || programs::provide().and_then(|()| packages::provide()))?;
    }
    let tally = run_tests(options)?;
    println!("\nall steps passed{}", if options.quick { " (quick: a part of them)" } else { "" });
    println!("{tally}");
    Ok(())
}

fn clippy() -> Result<(), Failure> {
    let lints = ["--all-targets", "--", "-D", "warnings"];
    process::run(&[&["cargo", "clippy"][..], &SELECTION, &lints].concat())
}

fn dependencies() -> Result<(), Failure> {
    if process::answers(&["cargo", "deny", "--version"]) {
        return process::run(&["cargo", "deny", "check", "bans", "licenses", "sources"]);
    }
    println!(
        "cargo-deny is not installed (building it takes minutes); the house law `dependencies` \
         has checked bans, licences and sources of this platform by the same deny.toml"
    );
    Ok(())
}

/// Unit and integration tests, then doc tests; a failure still ends with the count.
fn run_tests(options: &TestOptions) -> Result<Tally, Failure> {
    let tests =
        step("tests", || counted_after(Tally::default(), unit_and_integration(options.quick)?))?;
    if options.quick {
        return Ok(tests);
    }
    let line = [&["cargo", "test", "--doc", "--no-fail-fast"][..], &SELECTION].concat();
    step("doc tests", || {
        let run: Run = (process::run_and_keep(&line)?, Tally::of_libtest);
        counted_after(tests, run)
    })
}

/// How many mutants `crates/gcw/tests/hostile.rs` makes in a full run.
const MUTANTS: &str = "JOBMILL_MUTANTS=450000";

/// A runner's captured output together with how its summary is read.
type Run = (Captured, fn(&[String]) -> Result<Tally, Failure>);

fn unit_and_integration(quick: bool) -> Result<Run, Failure> {
    let every = ["--lib", "--bins", "--tests", "--examples"];
    let targets = if quick { &every[..2] } else { &every[..] };
    let (runner, read): (&[&str], fn(&[String]) -> _) =
        if process::answers(&["cargo", "nextest", "--version"]) {
            (&["cargo", "nextest", "run", "--no-fail-fast"], Tally::of_nextest)
        } else {
            println!("cargo-nextest is not installed; `cargo test` runs the same tests");
            (&["cargo", "test", "--no-fail-fast"], Tally::of_libtest)
        };
    // The loop over mutated definitions goes on for about a minute, beside everything else.
    let long: &[&str] = if quick { &[] } else { &["env", MUTANTS] };
    Ok((process::run_and_keep(&[long, runner, &SELECTION, targets].concat())?, read))
}

/// Adds a run to what was counted before it. A runner has to be content and to have counted no
/// failure; one of the two is not enough.
fn counted_after(before: Tally, (captured, read): Run) -> Result<Tally, Failure> {
    let tally = match read(&captured.lines) {
        Ok(tally) => tally.plus(&before),
        Err(_) if !captured.success => {
            return Err(Failure::new("the tests do not compile, or the runner broke, see above"));
        }
        Err(failure) => return Err(failure),
    };
    if captured.success && tally.failed == 0 {
        return Ok(tally);
    }
    let message = if tally.failed > 0 { "some tests failed" } else { "the test runner failed" };
    Err(Failure::new(message).with_last_line(&tally))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(success: bool, line: &str) -> Result<String, String> {
        let captured = Captured { success, lines: vec![line.to_owned()] };
        let before = Tally { passed: 5, ..Tally::default() };
        let counted = counted_after(before, (captured, Tally::of_libtest));
        counted.map(|tally| tally.to_string()).map_err(|failure| failure.message().to_owned())
    }

    #[test]
    fn a_run_is_added_to_what_was_counted_before() {
        let counted = outcome(true, "test result: ok. 2 passed; 0 failed");
        assert_eq!(counted.as_deref(), Ok("7 passed, 0 failed, 0 skipped"));
    }

    #[test]
    fn runner_and_count_both_have_to_be_content() {
        let discontent = outcome(false, "test result: ok. 2 passed; 0 failed");
        assert_eq!(discontent.unwrap_err(), "the test runner failed");
        let failed = outcome(true, "test result: FAILED. 2 passed; 1 failed");
        assert_eq!(failed.unwrap_err(), "some tests failed");
    }

    #[test]
    fn a_run_without_a_count_is_never_a_success() {
        assert!(outcome(true, "no summary").unwrap_err().starts_with("cannot count the tests"));
        assert!(outcome(false, "no summary").unwrap_err().starts_with("the tests do not compile"));
    }
}
