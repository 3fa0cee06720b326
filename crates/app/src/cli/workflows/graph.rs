//! `jobmill workflows graph`: a definition as a picture.

use std::path::PathBuf;

use clap::Args;

use super::super::Failure;
use super::super::screen::line;
use super::check;
use crate::boot;

/// Draws a definition as SVG on standard output
#[derive(Debug, Args)]
#[command(after_help = "\
A server draws deployed workflows at /workflows/NAME/graph.svg, and the way that an execution
took at /jobs/ID/graph.svg.

Examples:
  jobmill workflows graph order.yaml > order.svg

Exit codes: 0 it is drawn, 1 it cannot be drawn, 2 the file cannot be read.")]
pub(crate) struct Graph {
    /// The file, YAML or JSON
    file: PathBuf,
}

impl Graph {
    pub(super) fn run(self) -> Result<(), Failure> {
        let source = check::read(&self.file)?;
        let drawn = boot::draw_source(&source).ok_or_else(|| {
            let file = self.file.display();
            Failure::Ended(format!("{file} cannot be drawn: it is no definition, or too large"))
        })?;
        line(drawn.trim_end())?;
        Ok(())
    }
}
