//! The configuration file: flat keys, each with its line.

use std::collections::BTreeMap;
use std::path::Path;

use jobmill_model::suggest::nearest;
use toml::de::{DeTable, DeValue};

use super::load::ConfigError;
use super::table::{SETTINGS, Setting};

/// A value and the line that it stands on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) line: usize,
}

/// The settings of a file, by name.
pub(super) type Lines = BTreeMap<&'static str, Line>;

/// Reads the text of a file; every wrong key is reported.
pub(super) fn read(path: &Path, text: &str) -> Result<Lines, Vec<ConfigError>> {
    let error = |at: usize, message: String| {
        ConfigError(format!("{}:{}: {message}", path.display(), line_of(text, at)))
    };
    let table = DeTable::parse(text).map_err(|wrong| {
        let at = wrong.span().map_or(0, |span| span.start);
        vec![error(at, format!("it is not TOML: {}", wrong.message()))]
    })?;
    let (mut lines, mut errors) = (Lines::new(), Vec::new());
    for (key, value) in table.get_ref() {
        let at = key.span().start;
        let Some(setting) = Setting::named(key.get_ref()) else {
            errors.push(error(at, unknown(key.get_ref())));
            continue;
        };
        match scalar(value.get_ref()) {
            Some(value) => {
                lines.insert(setting.name, Line { text: value, line: line_of(text, at) });
            }
            None => errors.push(error(at, format!("{} takes text or a number", setting.name))),
        }
    }
    if errors.is_empty() { Ok(lines) } else { Err(errors) }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

fn unknown(key: &str) -> String {
    let key = key.replace('-', "_");
    match nearest(&key, SETTINGS.iter().map(|setting| setting.name)) {
        Some(near) => format!("no setting is called `{key}`; did you mean `{near}`?"),
        None => format!(
            "no setting is called `{key}`; `jobmill config` shows the names of all settings"
        ),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        let errors = read(Path::new("x.toml"), text).unwrap_err();
        errors.into_iter().map(|error| error.0).collect()
    }

    #[test]
    fn values_come_with_their_lines() {
        let lines = read(Path::new("x.toml"), "# c\nworkers = 3\n\ndata = \"d\"\n").unwrap();
        assert_eq!(lines["workers"], Line { text: "3".into(), line: 2 });
        assert_eq!(lines["data"], Line { text: "d".into(), line: 4 });
    }

    #[test]
    fn every_unknown_key_is_refused_with_its_line_and_a_near_name() {
        assert_eq!(
            errors("lisen = 1\nworkers = 2\nzzz = 3\n"),
            [
                "x.toml:1: no setting is called `lisen`; did you mean `listen`?",
                "x.toml:3: no setting is called `zzz`; `jobmill config` shows the names of all \
                 settings",
            ]
        );
    }

    #[test]
    fn tables_and_broken_text_are_refused_with_their_line() {
        assert_eq!(errors("\n[data]\n"), ["x.toml:2: data takes text or a number"]);
        assert!(errors("a = 1\nb b\n")[0].starts_with("x.toml:2: it is not TOML: "));
    }
}
