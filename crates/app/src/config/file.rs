//! The configuration file: flat keys, each with its line.

use std::collections::BTreeMap;
use std::path::Path;

use jobmill_model::Declaration;
use jobmill_model::suggest::nearest;
use toml::de::{DeTable, DeValue};

use super::flows;
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

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) lines: Lines,
    /// Flows for workers outside.
    pub(super) flows: Vec<Declaration>,
}

/// The key of the tables that declare flows.
const FLOWS: &str = "flows";

/// Reads the text of a file; every wrong key is reported.
pub(super) fn read(path: &Path, text: &str) -> Result<Contents, Vec<ConfigError>> {
    let error = |at: usize, message: String| {
        ConfigError(format!("{}:{}: {message}", path.display(), line_of(text, at)))
    };
    let table = DeTable::parse(text).map_err(|wrong| {
        let at = wrong.span().map_or(0, |span| span.start);
        vec![error(at, format!("it is not TOML: {}", wrong.message()))]
    })?;
    let (mut lines, mut flows, mut errors) = (Lines::new(), Vec::new(), Vec::new());
    for (key, value) in table.get_ref() {
        let at = key.span().start;
        if *key.get_ref() == FLOWS {
            let mut problems = Vec::new();
            flows = flows::read(value.get_ref(), &mut problems, at);
            errors.extend(problems.into_iter().map(|(at, message)| error(at, message)));
            continue;
        }
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
    if errors.is_empty() { Ok(Contents { lines, flows }) } else { Err(errors) }
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
    use jobmill_model::queue::Name;
    use jobmill_model::{Json, Span};

    use super::*;

    fn errors(text: &str) -> Vec<String> {
        let errors = read(Path::new("x.toml"), text).unwrap_err();
        errors.into_iter().map(|error| error.0).collect()
    }

    #[test]
    fn values_come_with_their_lines() {
        let text = "# c\nworkers = 3\n\ndata = \"d\"\n";
        let lines = read(Path::new("x.toml"), text).unwrap().lines;
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
    fn flows_are_declared_as_over_http() {
        let text = "[flows.mail]\nabout = \"Sends a mail\"\nlease = \"10s\"\nmax_attempts = 5\n\
                    [flows.mail.input_schema]\ntype = \"object\"\nrequired = [\"to\"]\n";
        let flows = read(Path::new("x.toml"), text).unwrap().flows;
        let name = Name::trusted("mail");
        assert_eq!(
            flows,
            [Declaration {
                about: "Sends a mail".to_owned(),
                lease: Span::from_secs(10),
                max_attempts: 5,
                input_schema: Json::trusted(r#"{"required":["to"],"type":"object"}"#),
                ..Declaration::new(name)
            }]
        );
    }

    #[test]
    fn everything_that_is_wrong_with_a_flow_is_said_with_its_line_and_place() {
        let text = "workers = 2\n[flows.a]\nlaese = \"1s\"\nlease = \"1ms\"\n\
                    [flows.\"b c\"]\n[flows.d]\ninput_schema = { type = \"objet\" }\n";
        let errors = errors(text);
        assert_eq!(errors.len(), 4, "{errors:?}");
        assert!(errors[0].starts_with("x.toml:2: /flows/a/laese: "), "{errors:?}");
        assert!(errors[1].starts_with("x.toml:2: /flows/a/lease: at least 1s"), "{errors:?}");
        assert!(errors[2].starts_with("x.toml:5: /flows/b c: "), "{errors:?}");
        assert!(errors[3].starts_with("x.toml:6: /flows/d/input_schema/type: "), "{errors:?}");
        assert_eq!(
            self::errors("flows = 1\n"),
            ["x.toml:1: `flows` takes tables, such as [flows.mail]"]
        );
    }

    #[test]
    fn tables_and_broken_text_are_refused_with_their_line() {
        assert_eq!(errors("\n[data]\n"), ["x.toml:2: data takes text or a number"]);
        assert!(errors("a = 1\nb b\n")[0].starts_with("x.toml:2: it is not TOML: "));
    }
}
