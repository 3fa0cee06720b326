//! Failed attempts, in memory.

use async_trait::async_trait;
use jobmill_model::Timestamp;
use jobmill_model::fault::Fault;
use jobmill_model::job::{FailedAttempt, Failure};

use super::{MemoryStore, Row};
use crate::{AttemptQuery, Attempts, Result};

#[async_trait]
impl Attempts for MemoryStore {
    async fn attempt_list(&self, query: &AttemptQuery) -> Result<Vec<FailedAttempt>> {
        let data = self.0.lock();
        let failed = data.rows.get(&query.id).map_or(&[][..], |row| &row.failed);
        let matching = failed.iter().filter(|attempt| matches(query, attempt));
        Ok(matching.skip(query.skip).take(query.limit).cloned().collect())
    }
}

fn matches(query: &AttemptQuery, attempt: &FailedAttempt) -> bool {
    query.code.as_ref().is_none_or(|code| *code == attempt.code)
        && query.since.is_none_or(|since| attempt.at >= since)
        && query.until.is_none_or(|until| attempt.at < until)
}

impl Row {
    /// Keeps the failure of the present attempt.
    pub(super) fn note_failure(&mut self, fault: Fault, at: Timestamp) {
        let Fault { code, message, trace, .. } = fault.trimmed();
        let code = code.into_owned();
        self.job.error = Some(Failure { code: code.clone(), message: message.clone() });
        let (run, attempt) = (self.job.run, self.job.attempt);
        self.failed.push(FailedAttempt { run, attempt, code, message, trace, at });
    }
}
