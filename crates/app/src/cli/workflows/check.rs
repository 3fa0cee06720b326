//! `jobmill workflows check`: everything that is wrong with definitions.

use std::path::{Path, PathBuf};

use clap::Args;
use jobmill_engine::Finding;

use super::super::Failure;
use super::super::screen::{Screen, line, say};
use crate::boot;
use crate::wire::workflow::FileFindings;

/// Checks definitions and shows everything that is wrong with them
#[derive(Debug, Args)]
#[command(after_help = "\
Every finding of every file is shown, with its line and a suggestion where one can be guessed.

Examples:
  jobmill workflows check order.yaml
  jobmill workflows check --gcp-limits workflows/*.yaml

Exit codes: 0 no errors (warnings may be shown), 1 errors, 2 a file cannot be read.")]
pub(crate) struct Check {
    /// The files, YAML or JSON
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Holds them to Google's limits, such as 128 KB of source, instead of this server's
    #[arg(long)]
    gcp_limits: bool,
}

impl Check {
    pub(super) fn run(self, screen: Screen) -> Result<(), Failure> {
        let (mut errors, mut all) = (0, Vec::new());
        for path in &self.files {
            let source = read(path)?;
            let findings = boot::check_source(&source, self.gcp_limits);
            errors += findings.iter().filter(|finding| finding.is_error).count();
            all.push((path.display().to_string(), findings));
        }
        if screen.is_json() {
            let files: Vec<_> =
                all.iter().map(|(file, findings)| FileFindings::new(file, findings)).collect();
            line(&serde_json::to_string(&files).unwrap_or_default())?;
        } else {
            for (file, findings) in &all {
                findings.iter().try_for_each(|finding| line(&shown(file, finding)))?;
            }
        }
        match errors {
            0 => {
                say(&format!("{}: no errors", files(self.files.len())));
                Ok(())
            }
            1 => Err(Failure::Ended(format!("{}: 1 error", files(self.files.len())))),
            _ => Err(Failure::Ended(format!("{}: {errors} errors", files(self.files.len())))),
        }
    }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// Reads a definition.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))
}

/// A finding as a person reads it.
pub(super) fn shown(file: &str, finding: &Finding) -> String {
    let severity = if finding.is_error { "error" } else { "warning" };
    let Finding { line, column, code, message, excerpt, .. } = finding;
    let mut text = format!("{file}:{line}:{column}: {severity}[{code}]: {message}");
    if !excerpt.is_empty() {
        text.push('\n');
        text.push_str(excerpt.trim_end());
    }
    if let Some(step) = &finding.step {
        let routine = finding.routine.as_deref().unwrap_or("main");
        text.push_str(&format!("\n  in step {step:?}, routine {routine:?}"));
    }
    if let Some(suggestion) = &finding.suggestion {
        text.push_str(&format!("\n  help: {suggestion}"));
    }
    text + "\n"
}
