//! Writes a machine's log entries, and its calls, into the server's log.

use jobmill_model::Value;
use jobmill_model::definition::CallLogLevel;
use jobmill_model::machine::{Effect, LogEntry, Outcome};
use tracing::{debug, error, info, warn};

use crate::observe::Subject;

pub(crate) fn write(of: &Subject, entry: &LogEntry) -> Outcome {
    let (Subject { job, flow, queue, attempt }, payload) = (of, &entry.payload);
    match entry.severity.as_str() {
        "DEBUG" => debug!(%job, %flow, %queue, attempt, %payload, "machine log"),
        "WARNING" => warn!(%job, %flow, %queue, attempt, %payload, "machine log"),
        "ERROR" | "CRITICAL" | "ALERT" | "EMERGENCY" => {
            error!(%job, %flow, %queue, attempt, %payload, "machine log");
        }
        _ => info!(%job, %flow, %queue, attempt, %payload, "machine log"),
    }
    Outcome::Done(Value::Null)
}

/// Logs a call of an execution and what it came to, if its level asks for it.
pub(crate) fn call(of: &Subject, level: CallLogLevel, effect: &Effect, outcome: &Outcome) {
    let Some((call, failure)) = line(level, effect, outcome) else { return };
    let Subject { job, flow, queue, attempt } = of;
    match failure {
        None => info!(%job, %flow, %queue, attempt, call, "machine call"),
        Some(failure) => {
            warn!(%job, %flow, %queue, attempt, call, failure, "machine call failed");
        }
    }
}

/// What is said of a call, and how it failed. URLs, arguments and answers hold secrets, so it is
/// the method and the host, or the name of what was called, and a status or a code.
fn line(
    level: CallLogLevel,
    effect: &Effect,
    outcome: &Outcome,
) -> Option<(String, Option<String>)> {
    let call = match effect {
        Effect::Http(call) => format!("{} {}", call.method, host(&call.url)),
        Effect::Op(call) => call.op.to_string(),
        Effect::Connector(call) => call.method.clone(),
        _ => return None,
    };
    let part = |name: &str| match outcome {
        Outcome::Done(value) => value.as_map().and_then(|map| map.get(name)).cloned(),
        _ => None,
    };
    let code = |value: Value| value.as_map().and_then(|map| map.get("code")).map(Value::to_string);
    let failure = match outcome {
        Outcome::Failed { code, .. } => Some(code.clone()),
        _ => match effect {
            Effect::Http(_) => {
                let status = part("status").and_then(|status| status.as_int());
                status.filter(|status| *status >= 400).map(|status| status.to_string())
            }
            Effect::Connector(_) => {
                part("error").map(|error| code(error).unwrap_or_else(|| "error".to_owned()))
            }
            _ => None,
        },
    };
    let is_wanted = match level {
        CallLogLevel::AllCalls => true,
        CallLogLevel::ErrorsOnly => failure.is_some(),
        CallLogLevel::Unspecified | CallLogLevel::Nothing => false,
    };
    is_wanted.then_some((call, failure))
}

/// The host of a URL, without whom it is for.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jobmill_model::machine::{ConnectorCall, HttpCall, HttpResponse};

    use super::*;

    fn get(url: &str) -> Effect {
        Effect::Http(HttpCall {
            method: "GET".to_owned(),
            url: url.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            timeout_ms: 1,
            response_bytes_max: 1,
            auth: None,
            private_service_name: None,
            ca_certificate: None,
        })
    }

    fn answer(status: u16) -> Outcome {
        let (headers, body) = (Vec::new(), Vec::new());
        Outcome::Done(HttpResponse { status, headers, body }.to_value())
    }

    #[test]
    fn the_level_says_which_calls_are_logged() {
        let call = get("http://h:1/p");
        let failed = Outcome::Failed { code: "TimeoutError".into(), message: String::new() };
        let said = |level, outcome: &Outcome| line(level, &call, outcome).map(|(_, why)| why);
        let code = |code: &str| Some(Some(code.to_owned()));
        assert_eq!(said(CallLogLevel::AllCalls, &answer(200)), Some(None));
        assert_eq!(said(CallLogLevel::AllCalls, &answer(404)), code("404"));
        assert_eq!(said(CallLogLevel::ErrorsOnly, &answer(200)), None);
        assert_eq!(said(CallLogLevel::ErrorsOnly, &failed), code("TimeoutError"));
        for level in [CallLogLevel::Nothing, CallLogLevel::Unspecified] {
            assert_eq!(said(level, &failed), None);
        }
        let connector = Effect::Connector(ConnectorCall { method: "m".into(), args: Value::Null });
        let error = Value::map([("error", Value::map([("code", Value::from(409))]))]);
        let said = line(CallLogLevel::ErrorsOnly, &connector, &Outcome::Done(error));
        assert_eq!(said, Some(("m".to_owned(), Some("409".to_owned()))));
    }

    #[test]
    fn no_secret_of_a_url_is_logged() {
        for url in [
            "https://user:secret@h:1/secret?secret#secret",
            "http://h:1?secret",
            "http://secret@h:1\\secret",
            "h:1/secret",
        ] {
            let (said, _) = line(CallLogLevel::AllCalls, &get(url), &answer(200)).unwrap();
            assert_eq!(said, "GET h:1");
        }
    }
}
