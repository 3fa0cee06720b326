//! House tasks: the test command and the house laws. Never shipped.

mod bench;
mod failure;
mod process;
mod step;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the Jobmill workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run everything a change has to pass: format, lints, house laws, tests, doc tests.
    ///
    /// The steps run in order and the first failure ends the command with a non-zero exit.
    /// The very last line of a run that got as far as the tests is
    /// `N passed, N failed, N skipped`, summed over all test runners.
    Test(test::TestOptions),
    /// Check the house laws: imports, corridors, lengths, wording, manifests, dependencies.
    ///
    /// Each violation is printed with its place and with the reason of its law.
    Tidy,
    /// Measure the server beside what bounds it: a table, and JSON under `target/bench`.
    Bench(bench::BenchOptions),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Tidy => tidy::run(),
        Task::Bench(options) => bench::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
