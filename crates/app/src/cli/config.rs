//! `jobmill config`: every setting, its value, and where it came from.

use clap::Args;
use jobmill_model::Value;

use super::screen::say;
use super::session::object;
use super::table::Table;
use super::{Context, Failure};
use crate::config::{Every, Flags, Found, load};

/// Shows every setting, its value, and where the value came from
#[derive(Debug, Args)]
#[command(after_help = "\
A setting has one name in four places; the later wins:
  1. its default
  2. a key of jobmill.toml             request_timeout = \"30s\"
  3. a variable of the environment     JOBMILL_REQUEST_TIMEOUT=30s
  4. a flag                            --request-timeout 30s

Flags given to this command show what they would change. Secrets are not shown. --json also tells
what each setting means.")]
pub(crate) struct Config {
    #[command(flatten)]
    flags: Flags<Every>,
}

impl Config {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let loaded = load(&context.sources(&self.flags))?;
        loaded.warnings.iter().for_each(|warning| say(&format!("warning: {warning}")));
        let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
        for found in &loaded.found {
            table.row([
                found.setting.name.to_owned(),
                found.shown().to_owned(),
                found.origin.to_string(),
            ]);
        }
        let settings = Value::list(loaded.found.iter().map(as_value));
        Ok(context.screen.table(&table, &object([("settings", Some(settings))]))?)
    }
}

fn as_value(found: &Found) -> Value {
    let setting = found.setting;
    let shown = found.text.is_some().then(|| Value::from(found.shown()));
    Value::map([
        ("name", Value::from(setting.name)),
        ("value", shown.unwrap_or_default()),
        ("from", Value::from(found.origin.to_string())),
        ("variable", Value::from(setting.variable())),
        ("flag", flag(found)),
        ("about", Value::from(setting.about)),
    ])
}

fn flag(found: &Found) -> Value {
    match found.setting.has_flag() {
        true => Value::from(format!("--{}", found.setting.flag())),
        false => Value::Null,
    }
}
