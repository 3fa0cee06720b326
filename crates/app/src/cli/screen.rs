//! What a person or a program sees: data on standard output, talk on standard error.

use std::io::{self, IsTerminal, Write};

use jobmill_model::Value;

use super::json;
use super::table::Table;

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    json: bool,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether somebody watches standard error, so that a bar may move there.
    pub(crate) fn is_watched(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Shows a value: one line for a program, many lines with colours for a person.
    pub(crate) fn value(self, value: &Value) -> io::Result<()> {
        match self.json {
            true => line(&value.to_string()),
            false => line(&json::pretty(value)),
        }
    }

    /// Shows a table to a person and the value it was made of to a program.
    pub(crate) fn table(self, table: &Table, value: &Value) -> io::Result<()> {
        match self.json {
            true => line(&value.to_string()),
            false => write!(anstream::stdout().lock(), "{table}"),
        }
    }
}

/// Writes a line of data.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes a line of talk. Where nobody can be told anything, there is nobody to tell that.
pub(crate) fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
