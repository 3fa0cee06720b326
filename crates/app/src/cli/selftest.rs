//! `jobmill selftest`: kills a server of its own again and again and audits what it promised.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jobmill_engine::chance::{Chance, SystemChance};
use tempfile::TempDir;

use super::screen::{Screen, line, say};
use super::table::Table;
use super::{Context, Failure};
use crate::boot::Signals;
use crate::selftest::{self, GO_ON, Plan, Report};

/// More violations than this are counted and not shown one by one.
const SHOWN: usize = 50;

/// Kills a server of its own again and again under load, and audits everything it promised
#[derive(Debug, Args)]
#[command(after_help = "\
A real server works in a scratch folder while clients submit jobs at full speed, each under an
idempotency key, and workers outside of it perform some of them. It is killed with SIGKILL and
frozen with SIGSTOP at moments that derive from the seed, and started again on the same folder. At
the end everything is compared: every acknowledged job has one outcome, the right one; no key has
two jobs; no late attempt has overwritten a newer one; no effect that was committed was performed
again; counts and lists agree.

The exit code is 1 if a promise was broken. What and whose it is is shown, and the folder is kept.

Examples:
  jobmill selftest
  jobmill selftest --kills 200 --data /mnt/other-disk
  jobmill selftest --seed 7 --json")]
pub(crate) struct Selftest {
    /// How often the server is killed
    #[arg(long, value_name = "N", default_value_t = 20)]
    kills: u32,
    /// How many clients submit jobs at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clients)]
    clients: usize,
    /// What the jobs and the moments derive from [default: drawn, and shown]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where the scratch folder is made [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

fn clients(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=256).contains(number));
    number.ok_or_else(|| "expected a whole number from 1 to 256".to_owned())
}

impl Selftest {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let folder = self.folder()?;
        let seed = self.seed.unwrap_or_else(draw);
        say(&format!("seed {seed}, in {}", folder.path().display()));
        let (program, path) = (std::env::current_exe()?, folder.path().to_owned());
        let (kills, clients) = (self.kills, self.clients);
        let plan = Plan { kills, clients, seed, program, folder: path, go_on: GO_ON };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let ended = runtime.block_on(until_stopped(&plan, context.screen));
        drop(runtime);
        let (report, kept) = match ended? {
            Some(Ok(report)) if report.violations() == 0 => (Ok(report), None),
            Some(ended) => (ended, Some(folder.keep())),
            None => return Err(Failure::Ended("stopped before its end".to_owned())),
        };
        let report = match report {
            Ok(report) => report,
            Err(trouble) => {
                return Err(Failure::Ended(format!("{trouble}{}", kept_text(kept.as_deref()))));
            }
        };
        show(context.screen, &report)?;
        match report.violations() {
            0 => Ok(()),
            count => Err(Failure::Ended(format!(
                "{count} violations with seed {seed}{}",
                kept_text(kept.as_deref())
            ))),
        }
    }

    fn folder(&self) -> Result<TempDir, Failure> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("jobmill-selftest-");
        match &self.data {
            None => Ok(builder.tempdir()?),
            Some(parent) => {
                std::fs::create_dir_all(parent)?;
                Ok(builder.tempdir_in(parent.canonicalize()?)?)
            }
        }
    }
}

fn kept_text(kept: Option<&Path>) -> String {
    kept.map(|path| format!("; the folder {} is kept", path.display())).unwrap_or_default()
}

/// A seed that a person can type again.
fn draw() -> u64 {
    let mut random = [0; 4];
    SystemChance.fill(&mut random);
    u32::from_be_bytes(random).into()
}

type Ended = Option<Result<Report, selftest::Trouble>>;

/// The whole test, or nothing if a signal comes first; the server that it has is killed then.
async fn until_stopped(plan: &Plan, screen: Screen) -> Result<Ended, Failure> {
    let signals = Signals::listen()?;
    let bar = bar(plan.kills, screen);
    let tell = |kills: u32, words: String| {
        bar.set_position(kills.into());
        bar.set_message(words);
    };
    let ended = tokio::select! {
        ended = selftest::run(plan, &tell) => Some(ended),
        () = signals.first(|| say("stopping"), || say("stopped at once")) => None,
    };
    bar.finish_and_clear();
    Ok(ended)
}

fn bar(kills: u32, screen: Screen) -> ProgressBar {
    let target = match screen.is_watched() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} kills, {msg}");
    let style = style.expect("the template of the bar is well formed");
    ProgressBar::with_draw_target(Some(kills.into()), target).with_style(style)
}

fn show(screen: Screen, report: &Report) -> Result<(), Failure> {
    let mut table = Table::new(&["WHAT", "COUNT"]);
    for (name, number) in &report.numbers {
        table.row([(*name).to_owned(), number.to_string()]);
    }
    screen.table(&table, &report.to_value())?;
    if !screen.is_json() {
        report.lines().take(SHOWN).try_for_each(|violation| line(&violation))?;
        if report.violations() > SHOWN {
            line(&format!("and {} more", report.violations() - SHOWN))?;
        }
    }
    Ok(())
}
