//! What the self-test was told while the server was being killed: the other half of the audit.

use std::collections::BTreeMap;

/// What one client, or all of them, were told.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By the number of the job.
    pub(super) entries: BTreeMap<u64, Entry>,
    /// How often a submission was sent again because its answer did not come.
    pub(super) resent: u64,
    /// Answers that no server should give, each with the id of the job or its key.
    pub(super) odd: Vec<(String, String)>,
}

/// What was told about one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// The ids that answers to its submissions named; more than one is a broken promise.
    pub(super) ids: Vec<String>,
    /// What a cancellation was answered: whether the job is cancelled. Nothing if none was asked.
    pub(super) cancelled: Option<bool>,
    /// Ends that were read while the server was still being killed.
    pub(super) seen: Vec<End>,
}

/// How a job ended, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    /// Its final state.
    pub(super) status: String,
    /// When.
    pub(super) finished_at: String,
    /// The attempt.
    pub(super) attempt: u32,
    /// Result or error.
    pub(super) outcome: String,
}

impl Ledger {
    /// Notes that a submission was answered.
    pub(super) fn acknowledge(&mut self, number: u64, id: &str) {
        let ids = &mut self.entry(number).ids;
        if !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }

    /// What was told about a job.
    pub(super) fn entry(&mut self, number: u64) -> &mut Entry {
        self.entries.entry(number).or_default()
    }

    /// The ledgers of all clients as one.
    pub(super) fn merged(ledgers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::default();
        for ledger in ledgers {
            all.resent += ledger.resent;
            all.odd.extend(ledger.odd);
            for (number, entry) in ledger.entries {
                entry.ids.iter().for_each(|id| all.acknowledge(number, id));
                let merged = all.entry(number);
                merged.cancelled = merged.cancelled.or(entry.cancelled);
                merged.seen.extend(entry.seen);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_kept_once_and_a_second_one_shows() {
        let [mut one, mut other] = [Ledger::default(), Ledger::default()];
        one.acknowledge(1, "a");
        one.acknowledge(1, "a");
        other.acknowledge(1, "b");
        other.entry(2).cancelled = Some(true);
        let all = Ledger::merged([one, other]);
        assert_eq!(all.entries[&1].ids, ["a", "b"]);
        assert_eq!(all.entries[&2].cancelled, Some(true));
    }
}
