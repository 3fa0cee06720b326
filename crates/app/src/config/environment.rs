//! The environment of the process, read here and nowhere else.

use std::collections::BTreeMap;
use std::ffi::OsString;

use jobmill_model::suggest::nearest;

use super::table::SETTINGS;

const PREFIX: &str = "JOBMILL_";
/// Names the configuration file; it cannot stand in that file.
const FILE: &str = "JOBMILL_CONFIG";

/// Names under which other programs know a setting; ours goes first.
const USUAL: [(&str, &str); 4] = [
    ("JOBMILL_FIRESTORE_EMULATOR", "FIRESTORE_EMULATOR_HOST"),
    ("JOBMILL_BIGQUERY_EMULATOR", "BIGQUERY_EMULATOR_HOST"),
    ("JOBMILL_GOOGLE_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
    ("JOBMILL_GOOGLE_METADATA", "GCE_METADATA_HOST"),
];

/// The variables that begin with `JOBMILL_`, and those of usual names.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
    pub fn of_process() -> Self {
        let named = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value)));
        Self::of(named)
    }

    /// An environment with these variables; an empty one counts as not set, because that is how
    /// compose files and unit files leave a variable out.
    pub fn of(variables: impl IntoIterator<Item = (String, OsString)>) -> Self {
        let is_usual = |name: &str| USUAL.iter().any(|(_, usual)| *usual == name);
        let ours = |(name, value): &(String, OsString)| {
            (name.starts_with(PREFIX) || is_usual(name)) && !value.is_empty()
        };
        Self { variables: variables.into_iter().filter(ours).collect() }
    }

    pub(super) fn file(&self) -> Option<&OsString> {
        self.variables.get(FILE)
    }

    pub(super) fn get(&self, variable: &str) -> Option<&OsString> {
        let usual = || USUAL.iter().find(|(ours, _)| *ours == variable);
        self.variables.get(variable).or_else(|| self.variables.get(usual()?.1))
    }

    /// Variables that look like misspelt settings. They are not refused: a cluster sets variables
    /// such as `JOBMILL_SERVICE_HOST` by itself.
    pub(super) fn warnings(&self) -> Vec<String> {
        let known: Vec<String> = SETTINGS.iter().map(super::Setting::variable).collect();
        let is_known = |name: &str| name == FILE || known.iter().any(|known| known == name);
        let near = |name: &String| {
            let near = nearest(
                name.strip_prefix(PREFIX)?,
                known.iter().filter_map(|known| known.strip_prefix(PREFIX)),
            )?;
            Some(format!("no setting is called {name}; did you mean {PREFIX}{near}?"))
        };
        self.variables.keys().filter(|name| !is_known(name)).filter_map(near).collect()
    }
}
