//! The API key: taken from the settings or a file, or made at the first start.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use jobmill_engine::chance::Chance;

use super::StartError;
use crate::config::{Keys, Secret, Settings, secret};
use crate::http;

/// Where the key is that the server makes, within the data folder.
const FILE: &str = "api-key";
/// What the key is called in scopes and logs.
const NAME: &str = "default";

/// How the doors decide who may come in.
pub(super) struct Access {
    pub(super) doors: http::Access,
    /// The file with the key, where the server looks after it itself.
    pub(super) file: Option<PathBuf>,
    pub(super) needs_key: bool,
}

/// Decides whether a key is needed, and finds or makes it. The data folder is there by now.
pub(super) fn access(settings: &Settings, chance: &dyn Chance) -> Result<Access, StartError> {
    if is_local(settings.listen.ip()) && settings.keys == Keys::Auto {
        return Ok(Access { doors: http::Access::Loopback, file: None, needs_key: false });
    }
    let (key, file) = match given(settings)? {
        Some(key) => (key, None),
        None => {
            let mut random = [0; 32];
            chance.fill(&mut random);
            let path = settings.data.join(FILE);
            let text = kept(&path, &jobmill_model::key::secret(random))?;
            (parsed(&path, &text)?, Some(path))
        }
    };
    let ring = http::KeyRing::new([(NAME.to_owned(), key.reveal().to_owned())]);
    Ok(Access { doors: http::Access::Keys(ring), file, needs_key: true })
}

/// Whether only this machine can come in, by a name that the doors let in without a key.
fn is_local(address: IpAddr) -> bool {
    [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)].contains(&address)
}

/// The key that the settings give: the text itself, or that of the file they name.
///
/// # Errors
/// A file that cannot be read or does not hold a key.
pub fn given(settings: &Settings) -> Result<Option<Secret>, StartError> {
    match (&settings.api_key, &settings.api_key_file) {
        (Some(key), _) => Ok(Some(key.clone())),
        (None, Some(path)) => read(path).map(Some),
        (None, None) => Ok(None),
    }
}

fn read(path: &Path) -> Result<Secret, StartError> {
    let text = fs::read_to_string(path);
    parsed(path, &text.map_err(|error| StartError::Key(path.to_owned(), error.to_string()))?)
}

fn parsed(path: &Path, text: &str) -> Result<Secret, StartError> {
    secret(text.trim())
        .map_err(|expected| StartError::Key(path.to_owned(), format!("expected {expected}")))
}

/// The text of a file for its owner only, which is made with this text if it is not there.
pub(super) fn kept(path: &Path, new: &str) -> Result<String, StartError> {
    let text = match make(path, new) {
        Ok(()) => Ok(new.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read_to_string(path),
        Err(error) => Err(error),
    };
    text.map_err(|error| StartError::Key(path.to_owned(), error.to_string()))
}

/// Makes the file for its owner only, and only if it is not there.
fn make(path: &Path, key: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{key}")?;
    file.sync_all()
}
