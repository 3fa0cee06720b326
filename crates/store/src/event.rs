//! What has changed, for whoever wants to hear of it at once: the last changes, in the order of
//! their commits.
//!
//! It is no record and is not on disk. Whoever misses a change reads the jobs themselves.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jobmill_model::{JobId, State};
use parking_lot::Mutex;

/// So many changes are kept; some seconds' worth under full load, and some megabytes.
pub const KEPT_CHANGES: usize = 32 * 1_024;

/// What has changed of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new, has moved to this state, or stands otherwise in it.
    State(State),
    /// It has come further.
    Progress,
    /// It is gone.
    Deleted,
}

/// The last changes, numbered from 1 in the order of their commits.
#[derive(Default)]
pub struct Feed {
    kept: Mutex<Kept>,
    listener: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Changes that are kept no more.
    gone: u64,
    changes: VecDeque<(JobId, Change)>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("newest", &self.newest()).finish_non_exhaustive()
    }
}

impl Feed {
    /// Takes in what one commit has changed; for stores, after the commit.
    pub fn push(&self, changes: impl IntoIterator<Item = (JobId, Change)>) {
        let mut kept = self.kept.lock();
        let before = kept.changes.len();
        kept.changes.extend(changes);
        if kept.changes.len() == before {
            return;
        }
        let surplus = kept.changes.len().saturating_sub(KEPT_CHANGES);
        kept.changes.drain(..surplus);
        kept.gone += surplus as u64;
        drop(kept);
        if let Some(listener) = self.listener.get() {
            listener();
        }
    }

    /// The number of the newest change; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        let kept = self.kept.lock();
        kept.gone + kept.changes.len() as u64
    }

    /// At most `limit` changes after that of this number, with the number of the last of them;
    /// nothing if some of them are kept no more, or if there never was such a number.
    #[must_use]
    pub fn after(&self, number: u64, limit: usize) -> Option<(Vec<(JobId, Change)>, u64)> {
        let kept = self.kept.lock();
        let skip = usize::try_from(number.checked_sub(kept.gone)?).ok()?;
        if skip > kept.changes.len() {
            return None;
        }
        let end = kept.changes.len().min(skip.saturating_add(limit));
        let changes = kept.changes.range(skip..end).copied().collect();
        Some((changes, kept.gone + end as u64))
    }

    /// Has this called whenever something was taken in, on the thread of the store, which must
    /// not be kept. Only the first listener is called.
    pub fn listen(&self, listener: impl Fn() + Send + Sync + 'static) {
        let _ = self.listener.set(Box::new(listener));
    }
}

/// The verbs of the event.
pub trait Events: Send + Sync {
    /// What this process has changed in the store, from its opening on.
    fn events(&self) -> Arc<Feed>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobmill_model::Timestamp;

    fn changes(count: usize) -> impl Iterator<Item = (JobId, Change)> {
        let id = JobId::from_parts(Timestamp::EPOCH, [0; 10]);
        (0..count).map(move |_| (id, Change::Progress))
    }

    #[test]
    fn changes_are_read_on_from_any_number_that_is_kept() {
        let feed = Feed::default();
        assert_eq!((feed.newest(), feed.after(0, 10)), (0, Some((vec![], 0))));
        feed.push(changes(5));
        assert_eq!(feed.after(0, 3).map(|(read, last)| (read.len(), last)), Some((3, 3)));
        assert_eq!(feed.after(3, 3).map(|(read, last)| (read.len(), last)), Some((2, 5)));
        assert_eq!(feed.after(5, 3), Some((vec![], 5)));
        assert_eq!(feed.after(6, 3), None, "never was");
    }

    #[test]
    fn old_changes_are_dropped_and_whoever_wants_them_is_told() {
        let feed = Feed::default();
        feed.push(changes(KEPT_CHANGES + 7));
        assert_eq!(feed.newest(), KEPT_CHANGES as u64 + 7);
        assert_eq!(feed.after(6, 1), None);
        assert_eq!(feed.after(7, 1).map(|(read, last)| (read.len(), last)), Some((1, 8)));
    }

    #[test]
    fn the_listener_is_called_once_for_each_commit_that_changes_something() {
        let feed = Feed::default();
        let calls = Arc::new(Mutex::new(0));
        let counted = calls.clone();
        feed.listen(move || *counted.lock() += 1);
        feed.push(changes(2));
        feed.push(changes(0));
        feed.push(changes(1));
        assert_eq!(*calls.lock(), 2);
    }
}
