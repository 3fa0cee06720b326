//! Input on the command line: JSON itself, `@FILE`, or `-` for standard input.

use std::io::Read;

use jobmill_model::Value;

use super::exit::{Failure, not_json};

/// Reads the text that an argument stands for.
pub(super) fn read(what: &str, argument: &str) -> Result<Vec<u8>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::Usage(format!("{what} {argument} cannot be read: {error}"))
    };
    match argument.strip_prefix('@') {
        _ if argument == "-" => read_stdin().map_err(unreadable),
        Some(path) => std::fs::read(path).map_err(unreadable),
        None => Ok(argument.as_bytes().to_vec()),
    }
}

/// Reads the JSON value that an argument stands for.
pub(super) fn value(what: &str, argument: &str) -> Result<Value, Failure> {
    let text = read(what, argument)?;
    Value::from_json(&text).map_err(|error| not_json(what, &error))
}

fn read_stdin() -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text)?;
    Ok(text)
}
