//! `sys.log`

use jobmill_model::machine::{Effect, LogEntry};

use super::Request;
use crate::fault::{Answer, Fault};

const SEVERITIES: [&str; 9] =
    ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"];

pub(super) fn effect(request: &Request<'_>) -> Answer<Effect> {
    let severity = request.text("severity")?.unwrap_or("DEFAULT").to_ascii_uppercase();
    if !SEVERITIES.contains(&&*severity) {
        return Err(request.invalid("severity", format!("unknown severity {severity:?}")));
    }
    let at = |name| request.function.params.iter().position(|param| param.name == name);
    let passed = |name| at(name).and_then(|at| request.values.get(at)).and_then(Option::as_ref);
    let mut payloads = ["data", "text", "json"].into_iter().filter_map(passed);
    let (Some(payload), None) = (payloads.next(), payloads.next()) else {
        return Err(Fault::of_type(
            "sys.log() takes exactly one of its arguments 'data', 'text' and 'json'",
        ));
    };
    // `text` takes any value: samples pass maps to it. [S]
    let payload =
        payload.to_json().map_err(|why| Fault::of_type(format!("{} cannot be logged", why.0)))?;
    Ok(Effect::Log(LogEntry { severity, payload }))
}
