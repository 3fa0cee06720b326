//! The command line: one file per command.
//!
//! Standard output is for data, standard error for talk. Every command takes `--json`.

mod backup;
mod config;
mod demo;
mod exit;
mod flows;
mod input;
mod jobs;
mod json;
mod keys;
mod queues;
mod run;
mod schedules;
mod screen;
mod selftest;
mod serve;
mod session;
mod table;
mod worker;
mod workflows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

pub use exit::Failure;

use crate::config::{Environment, Flags, Part, Sources};
use screen::Screen;

/// A durable jobs-and-workflows server in one binary, and its command line.
///
/// Work is posted over HTTP or with `jobmill jobs submit`; it is on disk before the answer goes
/// out, a worker performs it, and its state, errors and result can be read at any time.
#[derive(Debug, Parser)]
#[command(name = "jobmill", version, max_term_width = 100, after_help = AFTER)]
pub struct Cli {
    /// A configuration file [default: jobmill.toml, if it is there] [env: JOBMILL_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Writes JSON to standard output instead of text for a person
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Start here:
  jobmill demo                        see everything work, in a temporary folder
  jobmill serve                       serve on http://127.0.0.1:8080
  jobmill jobs submit expand_reduce_flow --input '{\"a\":1,\"b\":2}' --wait

Exit codes:
  0    it worked; a job that was waited for is completed
  1    a job failed or was cancelled, the server refused the request, or it could not start
  2    the command, its input or the configuration is wrong
  3    no server answers, or the connection broke
  4    the job is not finished yet
  130  a second Ctrl-C or SIGTERM stopped it at once";

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Worker(worker::Worker),
    Demo(demo::Demo),
    Jobs(Box<jobs::Jobs>),
    Run(run::Run),
    Flows(flows::Flows),
    Queues(queues::Queues),
    Schedules(Box<schedules::Schedules>),
    Workflows(Box<workflows::Workflows>),
    Keys(keys::Keys),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Config(config::Config),
    Selftest(selftest::Selftest),
}

/// What every command is given.
pub(crate) struct Context {
    file: Option<PathBuf>,
    screen: Screen,
}

impl Context {
    /// Where the settings of a command come from.
    pub(crate) fn sources<P: Part>(&self, flags: &Flags<P>) -> Sources {
        Sources {
            file: self.file.clone(),
            environment: Environment::of_process(),
            flags: flags.given.clone(),
        }
    }
}

/// Parses the arguments of the process, does what they say and tells how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let context = Context { file: cli.config, screen: Screen::new(cli.json) };
    let ended = match cli.command {
        Command::Serve(serve) => serve.run(&context),
        Command::Worker(worker) => worker.run(&context),
        Command::Demo(demo) => demo.run(&context),
        Command::Jobs(jobs) => jobs.run(&context),
        Command::Run(run) => run.run(&context),
        Command::Flows(flows) => flows.run(&context),
        Command::Queues(queues) => queues.run(&context),
        Command::Schedules(schedules) => schedules.run(&context),
        Command::Workflows(workflows) => workflows.run(&context),
        Command::Keys(keys) => keys.run(&context),
        Command::Backup(backup) => backup.run(&context),
        Command::Restore(restore) => restore.run(&context),
        Command::Config(config) => config.run(&context),
        Command::Selftest(selftest) => selftest.run(&context),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

/// The definition of the whole command line, for its help.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}
