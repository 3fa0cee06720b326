//! `jobmill backup` and `jobmill restore`: the data file, in one file.

use std::path::PathBuf;

use clap::Args;
use jobmill_model::Value;

use super::screen::say;
use super::session::object;
use super::{Context, Failure};
use crate::boot::{self, Copied};
use crate::config::{Flags, Storing, load};

/// Copies the data into one file, while a server uses it or not
///
/// The copy is the data as it stood at one moment: what was acknowledged before is in it. API keys
/// are in it as hashes; the files api-key and webhook-secret of the data folder are not.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  jobmill backup /backups/jobmill-$(date +%F).db --data /var/lib/jobmill

The copy may be smaller than the data file: the room that deleted jobs have left free is not in it.")]
pub(crate) struct Backup {
    /// The file to make; nothing is overwritten
    file: PathBuf,
    #[command(flatten)]
    flags: Flags<Storing>,
}

/// Makes a data folder out of a backup
///
/// All of the backup is read and checked first. The folder must be new or empty.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  jobmill restore /backups/jobmill-2026-11-29.db --data /var/lib/jobmill-restored
  jobmill serve --data /var/lib/jobmill-restored

A server on the restored folder goes on from the moment of the backup: what was running then is
performed again. Do not let it run beside the first one, or both perform the same jobs.")]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    flags: Flags<Storing>,
}

impl Backup {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let folder = load(&context.sources(&self.flags))?.settings.data;
        let copied = boot::backup(&folder, &self.file).map_err(boot::StartError::Backup)?;
        tell(context, copied, &self.file)
    }
}

impl Restore {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let folder = load(&context.sources(&self.flags))?.settings.data;
        let copied = boot::restore(&self.file, &folder).map_err(boot::StartError::Backup)?;
        tell(context, copied, &folder)
    }
}

fn tell(context: &Context, copied: Copied, to: &std::path::Path) -> Result<(), Failure> {
    let Copied { jobs, bytes } = copied;
    if context.screen.is_json() {
        let number = |it: u64| Some(Value::from(i64::try_from(it).unwrap_or(i64::MAX)));
        let to = Some(Value::from(&*to.to_string_lossy()));
        return Ok(context.screen.value(&object([
            ("file", to),
            ("jobs", number(jobs)),
            ("bytes", number(bytes)),
        ]))?);
    }
    say(&format!("{jobs} jobs, {bytes} bytes in {}", to.display()));
    Ok(())
}
