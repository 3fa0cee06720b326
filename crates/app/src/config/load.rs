//! From the four places to checked settings, each with its origin.

use std::fmt;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::file::{self, Contents, Lines};
use super::flags::Given;
use super::settings::Settings;
use super::table::{Fallback, SETTINGS, Setting};

/// The file that is read when no other is named.
const FILE: &str = "jobmill.toml";

/// What settings are read from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that was asked for; without one, `jobmill.toml` if there is one.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Environment,
    /// The flags.
    pub flags: Given,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The table.
    Default,
    /// A line of a file.
    File(PathBuf, usize),
    /// A variable of the environment.
    Environment(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// One setting as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Which.
    pub setting: &'static Setting,
    /// Its text; nothing if it is not set and has no default.
    pub text: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

/// Checked settings, and how they came about.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Each with its origin, in the order of the table.
    pub found: Vec<Found>,
    /// What looked odd.
    pub warnings: Vec<String>,
}

/// Why the configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// The settings as nobody has set them.
#[must_use]
pub fn defaults() -> Settings {
    let mut settings = Settings::blank();
    for setting in SETTINGS {
        if let Some(text) = setting.fallback.text() {
            (setting.set)(&mut settings, &text).expect("a default fits its own setting");
        }
    }
    settings
}

/// Reads the settings.
///
/// # Errors
/// Everything that is wrong, each with its place.
pub fn load(sources: &Sources) -> Result<Loaded, Vec<ConfigError>> {
    let (path, Contents { lines, flows }) = read_file(sources)?;
    let (mut settings, mut found, mut errors) = (Settings::blank(), Vec::new(), Vec::new());
    settings.flows = flows;
    for setting in SETTINGS {
        let one = match find(setting, sources, &path, &lines) {
            Ok(one) => one,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        if let Some(Err(expected)) =
            one.text.as_ref().map(|text| (setting.set)(&mut settings, text))
        {
            errors.push(one.wrong(&expected));
        }
        found.push(one);
    }
    match errors.is_empty() {
        true => Ok(Loaded { settings, found, warnings: sources.environment.warnings() }),
        false => Err(errors),
    }
}

fn read_file(sources: &Sources) -> Result<(PathBuf, Contents), Vec<ConfigError>> {
    let asked = sources.file.clone().or_else(|| sources.environment.file().map(PathBuf::from));
    let path = asked.clone().unwrap_or_else(|| PathBuf::from(FILE));
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path.clone(), file::read(&path, &text)?)),
        Err(error) if asked.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            Ok((path, Contents::default()))
        }
        Err(error) => Err(vec![ConfigError(format!(
            "the configuration file {} cannot be read: {error}",
            path.display()
        ))]),
    }
}

fn find(
    setting: &'static Setting,
    sources: &Sources,
    path: &Path,
    lines: &Lines,
) -> Result<Found, ConfigError> {
    let (variable, flag) = (setting.variable(), setting.flag());
    if let Some(text) = sources.flags.get(setting.name) {
        let text = Some(text.clone());
        return Ok(Found { setting, text, origin: Origin::Flag(flag) });
    }
    if let Some(value) = sources.environment.get(&variable) {
        let Some(text) = value.to_str() else {
            return Err(ConfigError(format!("{variable} is not text in UTF-8")));
        };
        let text = Some(text.to_owned());
        return Ok(Found { setting, text, origin: Origin::Environment(variable) });
    }
    if let Some(line) = lines.get(setting.name) {
        let origin = Origin::File(path.to_owned(), line.line);
        return Ok(Found { setting, text: Some(line.text.clone()), origin });
    }
    Ok(Found { setting, text: setting.fallback.text(), origin: Origin::Default })
}

impl Found {
    /// The value as it may be shown.
    #[must_use]
    pub fn shown(&self) -> &str {
        match (&self.text, self.setting.fallback) {
            (Some(_), _) if self.setting.secret => "(hidden)",
            (Some(text), _) => text,
            (None, Fallback::Nothing(meaning)) => meaning,
            (None, _) => "",
        }
    }

    fn wrong(&self, expected: &str) -> ConfigError {
        let Self { setting, origin, .. } = self;
        ConfigError(match setting.secret {
            true => format!("{} (from {origin}) is not right; expected {expected}", setting.name),
            false => {
                let shown = self.shown();
                format!("{} = {shown:?} (from {origin}); expected {expected}", setting.name)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(pairs.iter().map(|(name, value)| ((*name).to_owned(), value.into())))
    }

    fn folder_with(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("some.toml");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn the_later_place_wins() {
        let (_folder, path) = folder_with("workers = 2\ngrace = \"3s\"\ndata = \"from-file\"\n");
        let sources = Sources {
            file: Some(path.clone()),
            environment: environment(&[("JOBMILL_WORKERS", "3"), ("JOBMILL_GRACE", "4s")]),
            flags: Given::from([("workers", "4".to_owned())]),
        };
        let loaded = load(&sources).unwrap();
        let origin = |name: &str| {
            let found = loaded.found.iter().find(|found| found.setting.name == name).unwrap();
            (found.shown().to_owned(), found.origin.to_string())
        };
        assert_eq!(origin("workers"), ("4".into(), "--workers".into()));
        assert_eq!(origin("grace"), ("4s".into(), "JOBMILL_GRACE".into()));
        assert_eq!(origin("data"), ("from-file".into(), format!("{}:3", path.display())));
        assert_eq!(origin("listen"), ("127.0.0.1:8080".into(), "default".into()));
        assert_eq!(loaded.settings.workers, 4);
    }

    #[test]
    fn a_wrong_value_names_its_place_and_what_is_expected() {
        let sources = Sources {
            environment: environment(&[("JOBMILL_WORKERS", "many"), ("JOBMILL_API_KEY", "short")]),
            flags: Given::from([("keys", "off".to_owned())]),
            ..Sources::default()
        };
        let errors: Vec<_> = load(&sources).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "workers = \"many\" (from JOBMILL_WORKERS); expected a whole number from 0 to 1024",
                "keys = \"off\" (from --keys); expected one of: auto, on",
                "api_key (from JOBMILL_API_KEY) is not right; expected at least 16 printable \
                 characters without spaces",
            ]
        );
    }

    #[test]
    fn a_misspelt_variable_is_pointed_out_and_a_strange_one_is_not() {
        let sources = Sources {
            environment: environment(&[
                ("JOBMILL_WORKES", "2"),
                ("JOBMILL_SERVICE_HOST", "10.0.0.1"),
                ("JOBMILL_GRACE", ""),
            ]),
            ..Sources::default()
        };
        assert_eq!(
            load(&sources).unwrap().warnings,
            ["no setting is called JOBMILL_WORKES; did you mean JOBMILL_WORKERS?"]
        );
    }

    #[test]
    fn a_file_that_was_asked_for_must_exist() {
        let sources = Sources { file: Some("no-such.toml".into()), ..Sources::default() };
        assert!(
            load(&sources).unwrap_err()[0].0.starts_with("the configuration file no-such.toml")
        );
    }
}
