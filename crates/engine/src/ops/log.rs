//! Writes a machine's log entries into the server's log.

use jobmill_model::machine::{LogEntry, Outcome};
use jobmill_model::{JobId, Value};
use tracing::{debug, error, info, warn};

pub(crate) fn write(job: JobId, entry: &LogEntry) -> Outcome {
    let payload = &entry.payload;
    match entry.severity.as_str() {
        "DEBUG" => debug!(%job, %payload, "machine log"),
        "WARNING" => warn!(%job, %payload, "machine log"),
        "ERROR" | "CRITICAL" | "ALERT" | "EMERGENCY" => error!(%job, %payload, "machine log"),
        _ => info!(%job, %payload, "machine log"),
    }
    Outcome::Done(Value::Null)
}
